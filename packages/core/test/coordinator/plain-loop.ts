import type { Evaluation } from "../../src/job/index.ts";
import type { CryptoProvider } from "../../src/platform/index.ts";
import { taskSeed } from "../../src/site/index.ts";
import { ParameterSet, Tensor } from "../../src/tensor/index.ts";
import { aBundle } from "./a-federation.ts";
import { evaluateLinear, initialLinearParameters, type LinearData, trainLinear } from "./linear-trainer.ts";

/** FedAvg as a page of code, without any platform: what the platform must reproduce bit for bit. */
export async function plainLoop(
  /** Sites of each round, in the order in which their updates are added: float sums depend on it. */
  rounds: readonly (readonly string[])[],
  dataOf: (site: string) => LinearData,
  crypto: CryptoProvider,
): Promise<{ readonly model: ParameterSet; readonly evaluations: readonly Pick<Evaluation, "accuracy">[] }> {
  const sites = rounds[0] ?? [];
  const { seed: jobSeed } = aBundle().definition;
  let model = initialLinearParameters();
  const evaluations = [evaluate(model, sites, dataOf)];
  for (const [index, order] of rounds.entries()) {
    const outcomes = [];
    for (const site of order) {
      const seed = await taskSeed({ seed: jobSeed, site, round: index + 1 }, crypto);
      outcomes.push(trainLinear(dataOf(site), { parameters: model, seed }));
    }
    model = add(model, outcomes);
    evaluations.push(evaluate(model, sites, dataOf));
  }
  return { model, evaluations };
}

function evaluate(
  model: ParameterSet,
  sites: readonly string[],
  dataOf: (site: string) => LinearData,
): Pick<Evaluation, "accuracy"> {
  const each = sites.map((site) => evaluateLinear(dataOf(site), model));
  const examples = each.reduce((sum, { exampleCount }) => sum + exampleCount, 0);
  return { accuracy: each.reduce((sum, one) => sum + one.accuracy * one.exampleCount, 0) / examples };
}

function add(model: ParameterSet, outcomes: readonly ReturnType<typeof trainLinear>[]): ParameterSet {
  const examples = outcomes.reduce((sum, { exampleCount }) => sum + exampleCount, 0);
  return new ParameterSet(
    model.entries().map(([name, tensor]) => {
      const sum = new Float32Array(tensor.f32.length);
      for (const { delta, exampleCount } of outcomes) {
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
