import type { DittoDefinition } from "../../job/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { ParameterSet } from "../../tensor/index.ts";
import type { Trainer, TrainOptions } from "../trainer.ts";
import { combined, picked, replaced } from "./arithmetic.ts";
import type { KeptParameters } from "./kept-parameters.ts";
import type { LocalAlgorithm, LocalTask } from "./local-algorithm.ts";

/** What personal models are made with. */
export interface PersonalModules {
  readonly trainer: Trainer;
  readonly kept: KeptParameters;
  readonly clock: Pick<Clock, "yield">;
}

const sum = (a: number, b: number): number => a + b;

/**
 * FedPer (Arivazhagan et al. 2019, algorithm 1): personal layers stay at the site, which trains them together with the shared
 * ones; only these are sent. They begin as the job's submitter made them.
 *
 * @param personal names of the personal tensors
 * @param shared names of what is sent, in the order of the update
 */
export function personalLayers(
  { personal, shared }: { readonly personal: readonly string[]; readonly shared: readonly string[] },
  { trainer, kept, clock }: PersonalModules,
): LocalAlgorithm {
  const own = async (received: ParameterSet): Promise<ParameterSet> =>
    (await kept.read()) ?? picked(received, personal);
  return {
    async evaluate(parameters, options) {
      return await trainer.evaluate(replaced(parameters, await own(parameters)), options);
    },
    async train({ parameters, seed, round }, options) {
      const before = await own(parameters);
      const start = replaced(parameters, before);
      const { delta, ...rest } = await trainer.train({ parameters: start, seed, round }, options);
      await kept.write(await combined([before, picked(delta, personal)], sum, clock));
      return { update: picked(delta, shared), ...rest };
    },
    end: () => Promise.resolve(), // they are what the site has of the job
  };
}

/**
 * Ditto (Li et al. 2021, "Ditto: Fair and Robust Federated Learning Through Personalization", algorithm 1): beside its part in the
 * shared model a site trains a whole model of its own, held near the shared one: v ← v − η (∇F(v) + λ (v − w)). It is never
 * sent, and it is what the site measures.
 *
 * @param names of the trainable tensors, in the order of the update
 */
export function ditto(
  { strength, names }: Pick<DittoDefinition, "strength"> & { readonly names: readonly string[] },
  { trainer, kept, clock }: PersonalModules,
): LocalAlgorithm {
  const own = async (received: ParameterSet): Promise<ParameterSet> =>
    (await kept.read()) ?? picked(received, names);
  const trainOwn = async (
    { parameters, seed, round }: LocalTask,
    options: TrainOptions,
  ): Promise<ParameterSet> => {
    const before = await own(parameters);
    const start = replaced(parameters, before);
    const request = { parameters: start, seed, round, reference: parameters, proximal: strength };
    const { delta } = await trainer.train(request, options);
    return await combined([before, delta], sum, clock);
  };
  return {
    async evaluate(parameters, options) {
      return await trainer.evaluate(replaced(parameters, await own(parameters)), options);
    },
    async train(task, options) {
      const { parameters, seed, round } = task;
      const { delta, ...rest } = await trainer.train({ parameters, seed, round }, options);
      await kept.write(await trainOwn(task, options));
      return { update: delta, ...rest };
    },
    end: () => Promise.resolve(), // it is what the site has of the job
  };
}
