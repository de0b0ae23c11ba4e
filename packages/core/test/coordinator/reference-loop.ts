import type { CryptoProvider } from "../../src/platform/index.ts";
import { taskSeed } from "../../src/site/index.ts";
import { ParameterSet, Tensor } from "../../src/tensor/index.ts";
import { aBundle } from "./a-federation.ts";
import { type LinearData, trainLinear } from "./linear-trainer.ts";

/** A linear model as its five numbers, in float64: weights, then the bias. */
export type Numbers = readonly number[];

/** What one site brought in one round. */
export interface Brought {
  readonly site: string;
  readonly delta: Numbers;
  readonly examples: number;
  readonly steps: number;
}

/** An algorithm as its paper writes it, without any platform. */
export interface Algorithm {
  /** What a site does with the model of a round; default: it trains it. */
  readonly local?: (site: string, model: Numbers, train: Train) => Omit<Brought, "site" | "examples">;
  /** The next model. */
  readonly server: (model: Numbers, brought: readonly Brought[]) => Numbers;
}

/** Local training from a model, as the trainer of the tests does it. */
export type Train = (
  model: Numbers,
  more?: { readonly corrections?: Numbers; readonly reference?: Numbers; readonly proximal?: number },
) => Omit<Brought, "site" | "examples">;

/** Runs an algorithm over rounds whose sites are known, in the order in which their updates count. */
export async function referenceLoop(
  rounds: readonly (readonly string[])[],
  algorithm: Algorithm,
  { dataOf, crypto }: { readonly dataOf: (site: string) => LinearData; readonly crypto: CryptoProvider },
): Promise<Numbers> {
  const { seed: jobSeed } = aBundle().definition;
  let model: Numbers = [0, 0, 0, 0, 0];
  for (const [index, sites] of rounds.entries()) {
    const brought: Brought[] = [];
    for (const site of sites) {
      const data = dataOf(site);
      const seed = await taskSeed({ seed: jobSeed, site, round: index + 1 }, crypto);
      const train: Train = (from, { corrections, reference, proximal } = {}) => {
        const { delta, steps } = trainLinear(data, {
          ...{ parameters: parametersOf(from), seed },
          ...(corrections === undefined ? {} : { corrections: parametersOf(corrections) }),
          ...(reference === undefined ? {} : { reference: parametersOf(reference) }),
          ...(proximal === undefined ? {} : { proximal }),
        });
        return { delta: numbersOf(delta), steps };
      };
      const local = algorithm.local ?? ((_site, from) => train(from));
      brought.push({ site, examples: data.training.length, ...local(site, model, train) });
    }
    model = algorithm.server(model, brought);
  }
  return model;
}

/** Σ p_k x_k / Σ p_k, number by number. */
export function mean(list: readonly { readonly of: Numbers; readonly weight: number }[]): Numbers {
  const total = list.reduce((sum, { weight }) => sum + weight, 0);
  const [first] = list;
  return (first?.of ?? []).map(
    (_value, index) => list.reduce((sum, { of, weight }) => sum + weight * (of[index] ?? 0), 0) / total,
  );
}

/** Number by number. */
export const combine = (a: Numbers, b: Numbers, act: (a: number, b: number) => number): Numbers =>
  a.map((value, index) => act(value, b[index] ?? 0));

function parametersOf(model: Numbers): ParameterSet {
  return new ParameterSet([
    ["weight", Tensor.f32([4], Float32Array.from(model.slice(0, 4)))],
    ["bias", Tensor.f32([1], Float32Array.from(model.slice(4)))],
  ]);
}

const numbersOf = (parameters: ParameterSet): Numbers =>
  parameters.entries().flatMap(([, tensor]) => [...tensor.f32]);
