import type { Bytes } from "@photinus/core/bytes";
import { describeError, type ErrorCode } from "@photinus/core/errors";
import { benchModel, readModel, writeModel } from "@photinus/training";
import { expect, test } from "vitest";
import { ProtoWriter } from "../../packages/training/src/onnx/proto-writer.ts";
import { Ground } from "./equipment/a-ground.ts";
import { aDigitsFolder, aDigitsJob } from "./equipment/digits.ts";

/** The small network with an operator that nobody knows how to differentiate. */
function withUnknownOperator(): Bytes {
  const model = readModel(benchModel("mlp", 1).model);
  const nodes = model.graph.nodes.map((node) =>
    node.operator === "Relu" ? { ...node, operator: "Hardmax" } : node,
  );
  return writeModel({ ...model, graph: { ...model.graph, nodes } });
}

/** A model whose only weight lies in a file of the machine that reads it. */
function withExternalData(): Bytes {
  const writer = new ProtoWriter();
  writer.integer(1, 9);
  writer.message(7, (graph) => {
    graph.message(1, (node) => {
      node.text(1, "x");
      node.text(2, "y");
      node.text(4, "Relu");
    });
    graph.message(5, (tensor) => {
      tensor.text(8, "stolen");
      tensor.integer(2, 1);
      tensor.message(13, (entry) => {
        entry.text(1, "location");
        entry.text(2, "../../../etc/passwd");
      });
      tensor.integer(14, 1);
    });
    for (const [field, name] of [
      [11, "x"],
      [12, "y"],
    ] as const) {
      graph.message(field, (value) => {
        value.text(1, name);
        value.message(2, (type) => type.message(1, (tensor) => tensor.integer(1, 1)));
      });
    }
  });
  writer.message(8, (opset) => opset.integer(2, 20));
  return writer.finish();
}

const MODELS: readonly (readonly [name: string, graph: () => Bytes, code: ErrorCode])[] = [
  ["an unsupported operator", withUnknownOperator, "ERR_MODEL_OPERATOR"],
  ["external data", withExternalData, "ERR_MODEL_EXTERNAL_DATA"],
  ["random bytes in place of a graph", () => new Uint8Array(5000).fill(0xa7), "ERR_MODEL_MALFORMED"],
];

test("a model with an unknown operator, external data or no graph at all is refused, and the next job runs", async () => {
  const ground = await Ground.open({ sites: ["trainer"] });
  ground.startTrainingSite("trainer", await aDigitsFolder(20), "digits");

  for (const [name, graph, code] of MODELS) {
    ground.log.lines.length = 0;
    const bad = await ground.submit({ waitForSitesMs: 60_000 }, (workflow) => aDigitsJob(workflow, graph()));
    const view = await ground.untilView(bad.jobId, ({ sites }) =>
      sites.some(({ phase }) => phase === "refused"),
    );
    expect(view, name).toMatchObject({
      state: "dispatched",
      sites: [{ name: "trainer", phase: "refused", cause: "ERR_TASK_FAILED" }],
    });
    const told = ground.log.lines.find((line) => line.startsWith("warn site failed"));
    expect(told, name).toContain(code);
    expect(told).not.toContain("root:");
    expect(describeError(code).remedy).not.toBe("");
    await bad.abort();
  }

  const good = await ground.submit({ roundTimeoutMs: 60_000 }, aDigitsJob);
  await ground.survives(good, ["trainer"]);
}, 40_000);

test("a data file whose header promises more than it holds stops its own site only", async () => {
  const ground = await Ground.open({ sites: ["corrupt", "trainer"] });
  ground.startTrainingSite("corrupt", await aDigitsFolder(20, 60_000), "digits");
  ground.startTrainingSite("trainer", await aDigitsFolder(20), "digits");
  const job = await ground.submit({ roundTimeoutMs: 60_000 }, aDigitsJob);

  const view = await ground.survives(job, ["trainer"]);

  expect(view.sites.find(({ name }) => name === "corrupt")).toMatchObject({ cause: "ERR_TASK_FAILED" });
  const told = ground.log.lines.find((line) => line.startsWith("warn site failed")) ?? "";
  expect(told).toContain("ERR_DATA_MALFORMED");
  expect(told).toContain("corrupt");
  expect(told).toMatch(/promises \d+ bytes, \d+ follow/);
  expect(describeError("ERR_DATA_MALFORMED").remedy).not.toBe("");
}, 40_000);
