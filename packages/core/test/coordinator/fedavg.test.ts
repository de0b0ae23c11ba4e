import { expect, test } from "vitest";
import { taskSeed } from "../../src/site/index.ts";
import { ParameterSet, Tensor } from "../../src/tensor/index.ts";
import { aBundle, TestFederation } from "./a-federation.ts";
import { evaluateLinear, initialLinearParameters, linearData, trainLinear } from "./linear-trainer.ts";

const SITES = ["site-1", "site-2", "site-3"];
const ROUNDS = 3;

test("FedAvg over the platform equals the plain loop with the same seeds", async () => {
  const federation = await TestFederation.start();
  for (const [index, name] of SITES.entries()) federation.site(name, { examples: 20 + 10 * index });
  await federation.clock.settle();
  const jobId = await federation.submit({ rounds: ROUNDS, minimumSites: 3 });

  const view = await federation.untilEnd(jobId);

  expect(view).toMatchObject({ state: "finished", reason: "rounds done" });
  const plain = await plainLoop(federation);
  const accuracies = [view.initialEvaluation, ...view.history.map(({ evaluation }) => evaluation)];
  expect(accuracies.map((evaluation) => evaluation?.accuracy.toFixed(4))).toEqual(
    plain.evaluations.map(({ accuracy }) => accuracy.toFixed(4)),
  );
  const user = await federation.user();
  const { model, version } = await federation.clock.runUntil(user.job(jobId).result());
  expect(version).toBe(ROUNDS);
  expect(plain.evaluations.at(-1)?.accuracy).toBeGreaterThan(plain.evaluations[0]?.accuracy ?? 1);
  expect([...(model.get("weight")?.f32 ?? [])]).toEqual([...(plain.model.get("weight")?.f32 ?? [])]);
  await federation.stop();
});

async function plainLoop(federation: TestFederation) {
  let model = initialLinearParameters();
  const data = SITES.map((name, index) => linearData(name, 20 + 10 * index));
  const measure = () => {
    const each = data.map((site) => evaluateLinear(site, model));
    const examples = each.reduce((sum, { exampleCount }) => sum + exampleCount, 0);
    return { accuracy: each.reduce((sum, one) => sum + one.accuracy * one.exampleCount, 0) / examples };
  };
  const evaluations = [measure()];
  for (let round = 1; round <= ROUNDS; round++) {
    const updates = [];
    for (const [index, site] of SITES.entries()) {
      const seed = await taskSeed({ seed: aBundle().definition.seed, site, round }, federation.crypto);
      const outcome = trainLinear(data[index] ?? linearData(site), { parameters: model, seed });
      updates.push(outcome);
    }
    model = plus(model, updates);
    evaluations.push(measure());
  }
  return { model, evaluations };
}

function plus(model: ParameterSet, updates: ReturnType<typeof trainLinear>[]): ParameterSet {
  const examples = updates.reduce((sum, { exampleCount }) => sum + exampleCount, 0);
  return new ParameterSet(
    model.entries().map(([name, tensor]) => {
      const sum = new Float32Array(tensor.f32.length);
      for (const { delta, exampleCount } of updates) {
        const values = delta.get(name)?.f32 ?? new Float32Array(0);
        values.forEach((value, index) => {
          sum[index] = Math.fround((sum[index] ?? 0) + Math.fround(exampleCount * value));
        });
      }
      const next = tensor.f32.map((value, index) => value + Math.fround((sum[index] ?? 0) / examples));
      return [name, Tensor.f32(tensor.shape, next)];
    }),
  );
}
