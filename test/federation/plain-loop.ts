import type { Evaluation, JobBundle } from "@photinus/core/job";
import { type Trainer, taskSeed } from "@photinus/core/site";
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { nodeCrypto } from "@photinus/node-platform";

const { signal } = new AbortController();

/** w + Σ n_k Δ_k / n, in float32 and in the order of the sites. */
function averaged(
  parameters: ParameterSet,
  updates: readonly { readonly delta: ParameterSet; readonly exampleCount: number }[],
): ParameterSet {
  const weight = updates.reduce((sum, { exampleCount }) => sum + exampleCount, 0);
  return new ParameterSet(
    parameters.entries().map(([name, tensor]) => {
      const sum = new Float32Array(tensor.f32.length);
      for (const { delta, exampleCount } of updates) {
        const values = delta.get(name)?.f32;
        sum.forEach((value, index) => {
          sum[index] = value + Math.fround((values?.[index] ?? 0) * exampleCount);
        });
      }
      const trained = tensor.f32.map((value, index) => value + Math.fround((sum[index] ?? 0) / weight));
      return [name, Tensor.f32(tensor.shape, trained)];
    }),
  );
}

async function evaluate(trainers: readonly Trainer[], parameters: ParameterSet): Promise<number> {
  const results: Evaluation[] = [];
  for (const trainer of trainers) {
    const result = await trainer.evaluate(parameters, { signal });
    if (result !== undefined) results.push(result);
  }
  const count = results.reduce((sum, { exampleCount }) => sum + exampleCount, 0);
  return results.reduce((sum, { accuracy, exampleCount }) => sum + accuracy * exampleCount, 0) / count;
}

/**
 * FedAvg (McMahan et al. 2017, algorithm 1) as anybody would write it: a loop over rounds and sites in one process,
 * without a server, messages or encryption.
 *
 * @param trainers by name of the site, not prepared
 * @returns accuracy of the model after each round
 */
export async function plainFedAvg(
  { definition, model, parameters: table, initialParameters }: JobBundle,
  trainers: ReadonlyMap<string, Trainer>,
): Promise<readonly number[]> {
  const { training, dataName, seed, workflow } = definition;
  for (const trainer of trainers.values()) {
    await trainer.prepare({ jobId: "plain", dataName, training, model, parameters: table }, { signal });
  }
  let parameters = initialParameters;
  const accuracies: number[] = [];
  for (let round = 1; round <= workflow.rounds; round++) {
    const updates = [];
    for (const [site, trainer] of trainers) {
      const siteSeed = await taskSeed({ seed, site, round }, nodeCrypto());
      updates.push(await trainer.train({ parameters, seed: siteSeed }, { signal }));
    }
    parameters = averaged(parameters, updates);
    accuracies.push(await evaluate([...trainers.values()], parameters));
  }
  return accuracies;
}
