import type { TensorLayout } from "../tensor/index.ts";
import type { ServerStep } from "./server-step.ts";
import { blocksOf, floatsOf } from "./update.ts";

/**
 * SCAFFOLD at the server (Karimireddy et al. 2020, algorithm 1, lines 16 and 17, with η_g = 1): x ← x + mean Δy_i, and
 * c ← c + (|S| / N) mean Δc_i, which keeps c the mean of the c_i of all N sites.
 *
 * @param control where the tensors of c lie; an update has the change of the model, and behind it that of c
 * @param sites N
 */
export function controlVariates(control: TensorLayout, sites: number): ServerStep {
  return {
    stateBytes: control.byteLength,
    start: () => new Uint8Array(control.byteLength),
    async apply(update, state, { clock, contributions }) {
      const change = floatsOf(update.subarray(update.byteLength - control.byteLength));
      const own = floatsOf(state);
      const share = contributions / sites;
      for await (const { start, values } of blocksOf(change, clock)) {
        for (let index = 0; index < values.length; index++) {
          own[start + index] = (own[start + index] ?? 0) + share * (values[index] ?? 0);
        }
      }
    },
  };
}
