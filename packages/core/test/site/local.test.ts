import { expect, test } from "vitest";
import { memoryParameters } from "../../src/site/index.ts";
import { localAlgorithm } from "../../src/site/local/index.ts";
import { virtualClock } from "../../src/testing/index.ts";
import { aBundle } from "../coordinator/a-federation.ts";
import { initialLinearParameters, linearData, linearTrainer } from "../coordinator/linear-trainer.ts";

const JOB = "ab".repeat(16);
const options = { signal: new AbortController().signal };

function aScaffold() {
  const { definition, parameters } = aBundle();
  const content = { digest: new Uint8Array(32), byteLength: 20 };
  const workflow = { ...definition.workflow, name: "scaffold" as const };
  const payload = {
    ...{ parameters, graph: content, initialParameters: content },
    definition: { ...definition, workflow },
  };
  const store = memoryParameters();
  const trainer = linearTrainer(linearData("site-1"));
  return { store, local: localAlgorithm(payload, { jobId: JOB, trainer, store, clock: virtualClock() }) };
}

test("a control variate moves when the server has committed the update, and not before", async () => {
  const { store, local } = aScaffold();

  const { update, onCommitted } = await local.train(
    { parameters: initialLinearParameters(), seed: 1, round: 1 },
    options,
  );

  expect(update.names()).toEqual(["weight", "bias", "control/weight", "control/bias"]);
  expect(await store.read(JOB, "control")).toBeUndefined();
  await onCommitted?.();
  const kept = await store.read(JOB, "control");
  expect([...new Float32Array(Uint8Array.from(kept ?? []).buffer).subarray(0, 4)]).toEqual([
    ...(update.get("control/weight")?.f32 ?? []),
  ]);
});

test("a control variate goes with its job", async () => {
  const { store, local } = aScaffold();
  await store.write(JOB, "control", new Uint8Array(20));

  await local.end();

  expect(await store.read(JOB, "control")).toBeUndefined();
});

test("what was kept of another layout is refused, not used", async () => {
  const { store, local } = aScaffold();
  await store.write(JOB, "control", new Uint8Array(16));

  const training = local.train({ parameters: initialLinearParameters(), seed: 1, round: 2 }, options);

  await expect(training).rejects.toMatchObject({ code: "ERR_STORAGE_CORRUPT" });
});
