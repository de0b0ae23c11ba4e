import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { connect } from "@photinus/core/console";
import { Tensor } from "@photinus/core/tensor";
import { nodeTransport } from "@photinus/node-client";
import { openHostKit, readKitFolder } from "@photinus/node-platform";
import { readModel, writeModel } from "@photinus/training";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "./a-federation.ts";
import { photinus } from "./run-photinus.ts";
import { startServerProcess } from "./server-process.ts";

// From an empty folder to a trained model, by the commands of docs/guide/researcher.md: server and sites are processes, the
// sites train a linear model on files of their own.

const CLI = fileURLToPath(new URL("../../packages/cli/src/cli.ts", import.meta.url));
const ALICE = "alice@example.org";

/** Two numbers in, two logits out, all parameters 0. */
function linearModel(): Uint8Array {
  const value = (name: string) => ({ name, dtype: "f32", shape: ["batch", 2] }) as const;
  const gemm = { name: "", operator: "Gemm", inputs: ["x", "w", "b"], outputs: ["y"] };
  return writeModel({
    ...{ irVersion: 9, opset: 20, producer: "hand" },
    graph: {
      name: "linear",
      inputs: [value("x")],
      outputs: [value("y")],
      initializers: new Map([
        ["w", Tensor.f32([2, 2], new Float32Array(4))],
        ["b", Tensor.f32([2], new Float32Array(2))],
      ]),
      nodes: [{ ...gemm, attributes: new Map([["transB", { kind: "int", value: 1 }]]) }],
    },
  });
}

const JOB = `name: sides
model: model.onnx
workflow: { rounds: 2, minimumSites: 2 }
training:
  loss: cross-entropy
  optimizer: { name: sgd, learningRate: 1, momentum: 0 }
  batchSize: 10
  localEpochs: 5
dataName: points
`;

/** Points left and right of a line, as a table with its description. */
async function writePoints(folder: string, offset: number): Promise<void> {
  const rows = Array.from({ length: 40 }, (_, index) => {
    const across = (((index * 7 + offset) % 20) - 9.5) / 5;
    return `${across},${((index * 3) % 8) / 8},${across < 0 ? "left" : "right"}`;
  });
  const description = {
    ...{ format: "csv", training: "points.csv", heldOut: "points.csv" },
    features: [{ input: "x", columns: [{ column: "across" }, { column: "along" }] }],
    label: { column: "side", values: ["left", "right"] },
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "points.csv"), `across,along,side\n${rows.join("\n")}\n`);
  await writeFile(join(folder, "points.json"), JSON.stringify(description));
}

interface SitePlace {
  readonly kit: string;
  readonly data: string;
  readonly secret: string;
  readonly server: string;
}

/** A site as its operator runs it. */
function startSite({ kit, data, secret, server }: SitePlace): void {
  const flags = ["--conditions=@photinus/source", "--import", "tsx", CLI, "site", "start"];
  const options = [
    "--kit",
    kit,
    "--data",
    data,
    "--server",
    server,
    "--threads",
    "1",
    "--passphrase-fd",
    "3",
  ];
  const child = spawn(process.execPath, [...flags, ...options], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  (child.stdio[3] as Writable).end(`${secret}\n`); // asked for as a pipe above
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await exited;
  });
}

test("a researcher goes from an empty folder to a trained model by the commands of the guide", async () => {
  const base = await temporaryFolder();
  const at = (...parts: readonly string[]): string => join(base, ...parts);
  const secretOf = async (name: string) => (await readFile(at("fl/secrets", name), "utf8")).trim();
  await photinus("init", at("trial"), "--yes", "--host", "127.0.0.1", "--sites", "2");
  const users = `users:\n  - { name: ${ALICE}, org: central, role: lead }\n`;
  const file = at("trial/project.yml");
  await writeFile(file, (await readFile(file, "utf8")).replace("users:\n", users));
  await photinus("provision", file, "-o", at("fl"));
  const passphrase = await secretOf("hub");
  const server = await startServerProcess({
    kit: at("fl/kits/hub"),
    state: at("state"),
    passphrase,
    port: 0,
  });
  for (const [index, name] of ["site-1", "site-2"].entries()) {
    const data = at("data", name);
    await writePoints(data, index);
    startSite({ kit: at("fl/kits", name), data, secret: await secretOf(name), server: server.socketUrl });
  }
  await writeFile(at("model.onnx"), linearModel());
  await writeFile(at("job.yaml"), JOB);
  const kit = [
    "--kit",
    at("fl/kits", ALICE),
    "--passphrase-file",
    at("fl/secrets", ALICE),
    "--server",
    server.socketUrl,
  ];

  const watched = (await photinus("job", "submit", at("job.yaml"), "--watch", ...kit)).trim().split("\n");
  const jobId = /^Job ([0-9a-f]{32}) submitted: sides$/.exec(watched[0] ?? "")?.[1] ?? "";
  await photinus("job", "download", jobId, "-o", at("result"), ...kit);

  expect(watched.slice(1)).toEqual([
    expect.stringMatching(/^\[round 1\/2\] 2 sites {2}2 accepted {2}0 refused {2}accuracy/),
    expect.stringMatching(/^\[round 2\/2\] 2 sites {2}2 accepted {2}0 refused {2}accuracy/),
    `Job ${jobId} finished: rounds done, 2 rounds`,
  ]);
  const metrics = JSON.parse(await readFile(at("result/metrics.json"), "utf8"));
  expect(metrics.initialEvaluation.accuracy).toBeLessThan(0.6);
  expect(metrics.rounds.at(-1).evaluation.accuracy).toBeGreaterThan(0.9);
  expect((await stat(at("result/model.onnx"))).mode & 0o777).toBe(0o600);
  const trained = readModel(new Uint8Array(await readFile(at("result/model.onnx")))).graph.initializers.get(
    "w",
  );

  // The same by the API, in the four lines of the guide.
  const opened = await openHostKit(await readKitFolder(at("fl/kits", ALICE)), await secretOf(ALICE));
  const transport = nodeTransport({ ...opened, server: server.socketUrl });
  const federation = await connect({ kit: opened.kit, transport });
  onTestFinished(() => federation.close());
  const { model, version } = await federation.job(jobId).result();

  expect(version).toBe(2);
  expect(model.get("w")?.f32).toEqual(trained?.f32);
});
