import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publicPrivacy } from "@photinus/core/filter";
import { silentLogger } from "@photinus/core/platform";
import {
  createProject,
  encodeRoster,
  type OpenedKit,
  openKit,
  type ProvisionedProject,
  parseRoster,
} from "@photinus/core/provision";
import { Site, type Trainer } from "@photinus/core/site";
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { nodeCrypto, systemClock, webSocketConnector, writeKitFolder } from "@photinus/node-platform";
import { openStorage, PhotinusServer } from "@photinus/node-server";
import { type Model, readModel, writeModel } from "@photinus/training";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../src/main.ts";
import { capturedStreams } from "./captured-streams.ts";

// A real server on loopback, a site that adds one to every number, and the commands as a researcher types them.

const crypto = nodeCrypto();
const clock = systemClock();
let folder = "";
let socket = "";
const stops: (() => Promise<void>)[] = [];

/** Four numbers in, two logits out. */
function linearModel(): Model {
  const value = (name: string, size: number) => ({ name, dtype: "f32", shape: ["batch", size] }) as const;
  const node = { name: "", operator: "Gemm", inputs: ["x", "w", "b"], outputs: ["y"] };
  return {
    ...{ irVersion: 9, opset: 20, producer: "hand" },
    graph: {
      name: "linear",
      inputs: [value("x", 4)],
      outputs: [value("y", 2)],
      initializers: new Map([
        ["w", Tensor.f32([2, 4], new Float32Array(8))],
        ["b", Tensor.f32([2], new Float32Array(2))],
      ]),
      nodes: [{ ...node, attributes: new Map([["transB", { kind: "int", value: 1 }]]) }],
    },
  };
}

const JOB = `name: line
model: model.onnx
workflow: { rounds: 2, minimumSites: 1 }
training:
  loss: cross-entropy
  optimizer: { name: sgd, learningRate: 0.1, momentum: 0 }
  batchSize: 4
dataName: line
`;

/** Adds one to every number of a model. */
function oneMore(): Trainer {
  const ones = (shape: readonly number[]) =>
    Tensor.f32(shape, new Float32Array(shape.reduce((a, b) => a * b)).fill(1));
  return {
    prepare: async () => ({ device: "none", trainingExamples: 10, heldOutExamples: 5 }),
    evaluate: async (parameters) => ({
      loss: 1,
      accuracy: (parameters.get("w")?.f32[0] ?? 0) / 4,
      exampleCount: 5,
    }),
    train: async () => ({
      delta: new ParameterSet([
        ["w", ones([2, 4])],
        ["b", ones([2])],
      ]),
      ...{ exampleCount: 10, loss: 0.5, steps: 1 },
    }),
    close: async () => undefined,
  };
}

async function opened(project: ProvisionedProject, name: string): Promise<OpenedKit> {
  const kit = project.kits.get(name);
  if (kit === undefined) throw new Error(`no kit for ${name}`);
  return await openKit(kit.files, { nowMs: Date.now(), secret: kit.secret }, { crypto });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "photinus-test-"));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const user = (name: string, role: "lead" | "member", org: string) => ({ name, role, org }) as const;
  const project = await createProject(
    {
      name: "trial",
      server: { name: "hub", org: "clinic", hosts: ["127.0.0.1"], port: 8443 },
      sites: [{ name: "site-1", org: "clinic", security: "clear" }],
      users: [
        { ...user("alice@example.org", "lead", "clinic"), security: "clear" },
        { ...user("mel@example.org", "member", "clinic"), security: "clear" },
      ],
    },
    { crypto, clock },
  );
  for (const [name, kit] of project.kits) {
    await writeKitFolder(join(folder, name), kit.files);
    await writeFile(join(folder, `${name}.secret`), kit.secret);
  }
  await writeFile(join(folder, "model.onnx"), writeModel(linearModel()));
  await writeFile(join(folder, "job.yaml"), JOB);
  await writeFile(join(folder, "idle.yaml"), JOB.replace("dataName: line", "dataName: nobody"));
  const storage = await openStorage({ folder: join(folder, "state") }, { crypto });
  const kit = await opened(project, "hub");
  const roster = parseRoster(encodeRoster(project.definition));
  const options = { kit, host: "127.0.0.1", port: 0, drainMs: 200, roster: () => roster };
  const server = new PhotinusServer(options, { storage, clock, crypto, logger: silentLogger });
  socket = (await server.start()).socketUrl;
  stops.push(async () => {
    await server.stop();
    await storage.close();
  });
  const { identity, root } = await opened(project, "site-1");
  const site = new Site(
    { project: "trial", serverName: "hub", identity, root: root.der, dataNames: ["line"], runtime: "node" },
    {
      ...{ connector: webSocketConnector({ url: socket }), clock, crypto, logger: silentLogger },
      ...{ random: { bytes: (length) => crypto.randomBytes(length) }, createTrainer: oneMore },
      decideJob: async () => "accept",
      privacy: publicPrivacy(),
    },
  );
  site.start();
  stops.push(() => site.stop());
});

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

async function as(user: string, ...args: readonly string[]) {
  const { streams, texts } = capturedStreams();
  const kit = ["--kit", join(folder, user), "--passphrase-file", join(folder, `${user}.secret`)];
  const code = await main([...args, ...kit, "--server", socket], { streams });
  const lines = texts.out.trim().split("\n");
  return { code, ...texts, lines, json: () => lines.map((line) => JSON.parse(line)) };
}

const alice = (...args: readonly string[]) => as("alice@example.org", ...args);
const inFolder = (name: string): string => join(folder, name);

let jobId = "";

test("a job is handed in and followed: a line a round, and how it ended", async () => {
  const { code, lines, out } = await alice(
    "job",
    "submit",
    inFolder("job.yaml"),
    "--submit-token",
    "run-1",
    "--watch",
  );

  expect(code, out).toBe(0);
  jobId = /^Job ([0-9a-f]{32}) submitted: line$/.exec(lines[0] ?? "")?.[1] ?? "";
  expect(lines[1]).toMatch(
    /^\[round 1\/2\] 1 site {2}1 accepted {2}0 refused {2}accuracy 0\.250 \(\+0\.250\)/,
  );
  expect(lines[2]).toMatch(/^\[round 2\/2\] .* accuracy 0\.500/);
  expect(lines[3]).toBe(`Job ${jobId} finished: rounds done, 2 rounds`);
});

test("the same token is the same job, and --quiet prints nothing but the result", async () => {
  const again = await alice(
    "--quiet",
    "--json",
    "job",
    "submit",
    inFolder("job.yaml"),
    "--submit-token",
    "run-1",
  );

  expect(again).toMatchObject({ code: 0, err: "" });
  expect(again.json()).toEqual([{ jobId }]);
});

test("--json of watch is an object a line; what goes on is no part of standard output", async () => {
  const { code, json } = await alice("--json", "job", "watch", jobId);

  expect(code).toBe(0);
  expect(json().map(({ event, round }) => [event, round])).toEqual([
    ["round", 1],
    ["round", 2],
    ["ended", undefined],
  ]);
  expect(json().at(-1)).toMatchObject({ jobId, state: "finished", rounds: 2, metrics: { accuracy: 0.5 } });
});

test("list, show and logs tell of the job", async () => {
  const listed = await alice("--json", "job", "list");
  const shown = await alice("job", "show", jobId);
  const logs = await alice("job", "logs", jobId, "--follow");

  expect(listed.json()).toMatchObject([
    { jobs: [{ jobId, name: "line", state: "finished", submitter: "alice@example.org" }] },
  ]);
  expect(shown.out).toContain("site site-1  clinic");
  expect(shown.lines.filter((line) => line.startsWith("[round"))).toHaveLength(2);
  expect(logs.lines.map((line) => line.replace(/^\S+Z {2}/, ""))).toEqual([
    "job line: 2 rounds of at least 1 sites",
    "round 1 begun",
    expect.stringMatching(/^round 1: site-1 accepted, 10 examples, training loss 0\.5000, norm/),
    "round 1 committed",
    "round 2 begun",
    expect.stringMatching(/^round 2: site-1 accepted/),
    "round 2 committed",
    "job finished: rounds done",
  ]);
});

test("download makes a folder for its owner: the model with its trained numbers, and the figures", async () => {
  const out = inFolder("result");

  expect((await alice("job", "download", jobId, "-o", out)).code).toBe(0);

  const { graph } = readModel(new Uint8Array(await readFile(join(out, "model.onnx"))));
  expect([...(graph.initializers.get("b")?.f32 ?? [])]).toEqual([2, 2]);
  const metrics = JSON.parse(await readFile(join(out, "metrics.json"), "utf8"));
  expect(metrics).toMatchObject({
    jobId,
    state: "finished",
    version: 2,
    rounds: [{ round: 1 }, { round: 2 }],
  });
  for (const name of ["model.onnx", "metrics.json"]) {
    expect((await stat(join(out, name))).mode & 0o777).toBe(0o600);
  }
});

test("download leaves what lies there alone, and nothing half-made", async () => {
  const again = await alice("job", "download", jobId, "-o", inFolder("result"));

  expect(again).toMatchObject({ code: 4, err: expect.stringContaining("exists already") });
  expect((await readdir(folder)).filter((name) => name.startsWith(".result"))).toEqual([]);
});

test("a job that waits: the time is up with 3, others may not end it, its submitter may, and wait tells the end", async () => {
  const submitted = await alice("--json", "job", "submit", inFolder("idle.yaml"));
  const [{ jobId: idle }] = submitted.json();

  expect(await alice("job", "wait", idle, "--timeout", "1s")).toMatchObject({
    code: 3,
    err: expect.stringContaining("ERR_TIMED_OUT"),
  });
  expect((await as("mel@example.org", "job", "abort", idle)).code).toBe(6);
  expect((await alice("job", "abort", idle, "--reason", "a mistake")).code).toBe(0);
  const waited = await alice("--json", "job", "wait", idle);
  expect(waited.code).toBe(1);
  expect(waited.json()).toMatchObject([{ jobId: idle, state: "aborted", reason: "ERR_JOB_ABORTED" }]);
  expect(waited.json()[0].end).toMatchObject({ by: "alice@example.org", detail: "a mistake" });
});

test("what the server has against a field of the file is told where it stands there", async () => {
  await writeFile(inFolder("far.yaml"), `${JOB}deployment:\n  sites:\n    - site-1\n    - site-9\n`);

  expect(await alice("job", "submit", inFolder("far.yaml"))).toMatchObject({
    code: 4,
    err: expect.stringMatching(/far\.yaml:12:7 deployment\.sites\.1: the project has no site site-9/),
  });
  expect((await alice("job", "submit", inFolder("job.yaml"), "--study", "north")).err).toContain(
    "study: there is no study north for alice@example.org",
  );
});

test("clone signs the job anew with what is set, and its list says of which; who may not clone makes none", async () => {
  const changes = ["--set", "name=again", "--set", "rounds=1"];

  const made = await alice("--json", "job", "clone", jobId, ...changes, "--watch");

  expect(made.code, made.err).toBe(0);
  const [{ jobId: clone, clonedFrom }] = made.json();
  expect(clonedFrom).toBe(jobId);
  expect(made.json().at(-1)).toMatchObject({ jobId: clone, state: "finished", rounds: 1 });
  expect((await alice("job", "list")).out).toMatch(
    new RegExp(`${clone} .* again {2}by alice@example.org {2}clone of ${jobId}`),
  );
  expect((await as("mel@example.org", "job", "clone", jobId)).code).toBe(6);
  for (const wrong of ["colour=red", "rounds=many", "rounds"]) {
    expect(await alice("job", "clone", jobId, "--set", wrong)).toMatchObject({
      code: 4,
      err: expect.stringContaining("ERR_CONFIG_INVALID"),
    });
  }
});

test("delete removes a job that has ended, for who may; then it is not there to be cloned", async () => {
  const [{ jobId: clone }] = (await alice("--json", "job", "clone", jobId, "--watch")).json();

  expect((await as("mel@example.org", "job", "delete", clone)).code).toBe(6);
  expect(await alice("job", "delete", clone, "--reason", "a trial")).toMatchObject({
    code: 0,
    out: `Job ${clone} was deleted.\n`,
  });
  expect(await alice("job", "clone", clone)).toMatchObject({
    code: 1,
    err: expect.stringContaining("ERR_JOB_DELETED"),
  });
});

test("what is not there, not a job, or not reached ends with the code of its kind", async () => {
  expect((await alice("job", "show", "0".repeat(32))).code).toBe(4);
  expect((await alice("job", "show", "seven")).code).toBe(4);
  expect((await alice("job", "download", "0".repeat(32), "-o", inFolder("none"))).code).toBe(4);
  expect((await as("mel@example.org", "job", "download", jobId, "-o", inFolder("none"))).code).toBe(6);
  expect((await readdir(folder)).includes("none")).toBe(false);
});
