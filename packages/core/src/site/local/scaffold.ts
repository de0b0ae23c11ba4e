import { CONTROL_PREFIX } from "../../job/index.ts";
import type { Clock } from "../../platform/index.ts";
import { elementCount, ParameterSet, Tensor, type TensorLayout } from "../../tensor/index.ts";
import type { Trainer } from "../trainer.ts";
import { combined } from "./arithmetic.ts";
import type { KeptParameters } from "./kept-parameters.ts";
import type { LocalAlgorithm } from "./local-algorithm.ts";

/** What SCAFFOLD works with at a site. */
export interface ScaffoldModules {
  readonly trainer: Trainer;
  /** The site's own control variate. */
  readonly kept: KeptParameters;
  /** Its tensors, and those of the server's. */
  readonly layout: TensorLayout;
  readonly clock: Pick<Clock, "yield">;
}

/**
 * SCAFFOLD at a site (Karimireddy et al. 2020, algorithm 1, lines 7 to 14, option II): each gradient is corrected by c − c_i; after
 * K steps c_i⁺ = c_i − c + (x − y_i) / (K η_l). The site sends Δy_i and Δc_i, and keeps c_i⁺ once the server has committed them, so
 * that c stays the mean of all c_i whatever becomes of an update.
 *
 * @param learningRate η_l
 */
export function scaffold(
  learningRate: number,
  { trainer, kept, layout, clock }: ScaffoldModules,
): LocalAlgorithm {
  return {
    evaluate: (parameters, options) => trainer.evaluate(parameters, options),
    async train({ parameters, seed, round, control = zeros(layout) }, options) {
      const own = (await kept.read()) ?? zeros(layout);
      const corrections = await combined([control, own], (c, ci) => c - ci, clock);
      const outcome = await trainer.train({ parameters, seed, round, corrections }, options);
      const { delta, ...rest } = outcome;
      const way = outcome.steps * learningRate;
      // c_i⁺ − c_i = −c − (y_i − x) / (K η_l)
      const change = await combined([control, delta], (c, moved) => -c - moved / way, clock);
      const next = await combined([own, change], (before, by) => before + by, clock);
      const named = change.entries().map(([name, tensor]) => [`${CONTROL_PREFIX}${name}`, tensor] as const);
      const update = new ParameterSet([...delta.entries(), ...named]);
      return { ...rest, update, onCommitted: () => kept.write(next) };
    },
    end: () => kept.delete(),
  };
}

function zeros({ tensors }: TensorLayout): ParameterSet {
  return new ParameterSet(
    tensors.map(({ name, shape }) => [name, Tensor.f32(shape, new Float32Array(elementCount(shape)))]),
  );
}
