import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseJobDefinition } from "@photinus/core/job";
import { benchModel } from "@photinus/training";
import { describe, expect, test } from "vitest";
import { jobJsonSchema } from "../src/job/job-json-schema.ts";
import { readJob } from "../src/job/read-job.ts";
import { withDefaults } from "../src/job/with-defaults.ts";
import { folder, run } from "./run-photinus.ts";

const GOOD = `name: digits
model: model.onnx
workflow:
  rounds: 2
  minimumSites: 2
training:
  loss: cross-entropy
  optimizer: { name: sgd, learningRate: 0.05, momentum: 0.9 }
  batchSize: 32
dataName: digits
`;

/** @returns the path of a job's file beside its model */
async function written(text: string): Promise<string> {
  const base = await folder();
  await writeFile(join(base, "model.onnx"), benchModel("mlp", 1).model);
  await writeFile(join(base, "job.yaml"), text);
  return join(base, "job.yaml");
}

async function refusal(text: string): Promise<string> {
  const file = await written(text);
  const { code, err } = await run("job", "check", file);
  return `${code} ${err.split("\n")[0]?.replace(file, "job.yaml")}`;
}

describe("job.yaml is refused with file, line and column:", () => {
  const cases: readonly (readonly [what: string, from: string, to: string, said: string])[] = [
    ["a number out of range", "rounds: 2", "rounds: -1", ":4:11 workflow.rounds: at least 1 (got -1)"],
    [
      "a key that is nearly right",
      "batchSize",
      "batchsize",
      ":9:3 training.batchsize is not known: did you mean batchSize?",
    ],
    [
      "a key of the optimizer that was chosen",
      "momentum: 0.9",
      "momentum: 0.9, beta: 1",
      ":8:62 training.optimizer.beta is not known: expected one of name, learningRate, weightDecay, momentum, nesterov",
    ],
    [
      "a key of a loss that is a map",
      "cross-entropy",
      "{ name: huber, dleta: 3 }",
      ":7:24 training.loss.dleta is not known: did you mean delta?",
    ],
    [
      "a name that nobody registers",
      "name: sgd",
      "name: sdg",
      ':8:22 training.optimizer.name: expected sgd, adam, adamw, adagrad, rmsprop, lion (got "sdg")',
    ],
    [
      "a rule that cannot work with so few sites",
      "dataName",
      "aggregation: { name: krum, byzantine: 1 }\ndataName",
      ":5:17 workflow.minimumSites: krum with byzantine 1 needs at least 5 contributions, and 2 may be all (got 2)",
    ],
    ["what is missing", "  rounds: 2\n", "", ":4:3 workflow.rounds is missing"],
  ];
  test.each(cases)("%s", async (_what, from, to, said) => {
    expect(await refusal(GOOD.replace(from, to))).toBe(`4 ERR_JOB_INVALID job.yaml${said}`);
  });
});

test("a loss that does not fit the model is refused where the model is named", async () => {
  const said = await refusal(
    GOOD.replace("  loss: cross-entropy", "  loss: { name: cross-entropy, classAxis: 3 }"),
  );

  expect(said).toMatch(/^4 ERR_MODEL_SHAPE job\.yaml:2:8 model: /);
});

test("a model that is not there is refused by its path", async () => {
  expect(await refusal(GOOD.replace("model.onnx", "other.onnx"))).toMatch(
    /^4 ERR_CONFIG_INVALID .*other\.onnx cannot be read$/,
  );
});

test("a device that a job names as its model is not read", async () => {
  expect(await refusal(GOOD.replace("model.onnx", "/dev/zero"))).toMatch(
    /^4 ERR_CONFIG_INVALID .*zero is no plain file$/,
  );
});

test("job check says what would be handed in, without a server", async () => {
  const file = await written(GOOD);

  const { code, out } = await run("--json", "job", "check", file);

  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    definition: { name: "digits", workflow: { name: "fedavg", rounds: 2 }, training: { localEpochs: 1 } },
    ...{
      parameters: 4,
      numbers: 203_530,
      trainableNumbers: 203_530,
      modelBytes: 814_120,
      updateBytes: 814_120,
    },
    openDimensions: [],
  });
});

test("what a file leaves out is filled in, so that the server's own check takes it", async () => {
  const { bundle } = await readJob(await written(GOOD));

  expect(parseJobDefinition(bundle.definition)).toEqual(bundle.definition);
  expect(bundle.initialParameters.byteLength).toBe(814_120);
});

test("a default takes the place of nothing that was written", () => {
  const defaults = { seed: 1, workflow: { name: "fedavg", wait: 2 } };

  expect(withDefaults({ seed: null, workflow: { wait: 0 } }, defaults)).toEqual({
    seed: null,
    workflow: { name: "fedavg", wait: 0 },
  });
  expect(withDefaults({}, defaults)).toEqual({ seed: 1 });
  expect(withDefaults(["a"], defaults)).toEqual(["a"]);
});

test("the published JSON Schema is that of the code, and lets out what has a default", async () => {
  const file = fileURLToPath(new URL("../../../docs/schema/job.schema.json", import.meta.url));

  expect(JSON.parse(await readFile(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(jobJsonSchema())));
  expect(jobJsonSchema()).toMatchObject({
    required: ["model", "name", "workflow", "training", "dataName"],
    properties: { workflow: { required: ["rounds", "minimumSites"] } },
  });
});
