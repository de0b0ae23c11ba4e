import { MAX_LOCAL_WORK } from "../aggregation/index.ts";
import type { TrainingDefinition } from "./training-definition.ts";

type Work = Pick<TrainingDefinition, "optimizer" | "proximal" | "batchesPerUpdate">;

/** Most steps that a site may take in one round: the passes that the job asks for, over the examples that the site has. */
export function plannedSteps(
  { localEpochs, batchSize }: Pick<TrainingDefinition, "localEpochs" | "batchSize">,
  exampleCount: number,
): number {
  return localEpochs * Math.ceil(exampleCount / batchSize);
}

/**
 * ‖a‖₁ of FedNova: the weights of a site's gradients in its update, added up, in units of the learning rate (Wang et al. 2020,
 * section 3.2). SGD: τ. With momentum ρ: (τ − ρ (1 − ρ^τ) / (1 − ρ)) / (1 − ρ). Held at the received model with μ:
 * (1 − (1 − η μ)^τ) / (η μ). Of an adaptive optimizer, whose steps do not add up so, τ as well.
 *
 * @param steps batches that the site trained on, at least 1
 */
export function localWork({ optimizer, proximal, batchesPerUpdate = 1 }: Work, steps: number): number {
  const updates = Math.ceil(steps / batchesPerUpdate);
  const work = optimizer.name === "sgd" ? sgdWork(updates, optimizer, proximal) : updates;
  return Math.min(MAX_LOCAL_WORK, work);
}

function sgdWork(
  updates: number,
  { learningRate, momentum }: { readonly learningRate: number; readonly momentum: number },
  proximal = 0,
): number {
  const pull = learningRate * proximal;
  // With both, or a pull beyond the received model, the sum has no such form: the steps are what is known.
  if (pull > 0) return momentum === 0 && pull < 1 ? (1 - (1 - pull) ** updates) / pull : updates;
  if (momentum === 0) return updates;
  const rest = (momentum * (1 - momentum ** updates)) / (1 - momentum);
  return (updates - rest) / (1 - momentum);
}
