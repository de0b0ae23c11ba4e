import { elementCount } from "@photinus/core/tensor";
import type { DropoutMask } from "../graph/index.ts";
import { type SeededRandom, seededRandom } from "../random.ts";
import type { Runtime, Tensors } from "./runtime.ts";

/** The memory of the masks that Dropout is fed, written again for every step. One seed gives one sequence of masks. */
export class DropoutMasks {
  /** The masks as feeds of the compiled graph. */
  readonly feeds: Tensors;
  readonly #masks: readonly { readonly values: Float32Array; readonly ratio: number }[];
  #random: SeededRandom = seededRandom(0);

  /** @param masks those of the compiled graph */
  constructor(runtime: Runtime, masks: readonly DropoutMask[]) {
    this.#masks = masks.map(({ shape, ratio }) => ({ values: new Float32Array(elementCount(shape)), ratio }));
    this.feeds = Object.fromEntries(
      masks.map(({ name, shape }, index) => [
        name,
        runtime.tensor(this.#masks[index]?.values ?? new Float32Array(), shape),
      ]),
    );
  }

  /** Begins a sequence. @param seed unsigned 32-bit integer */
  start(seed: number): void {
    this.#random = seededRandom(seed);
  }

  /** Draws the masks of the next step. */
  draw(): void {
    for (const { values, ratio } of this.#masks) {
      const threshold = ratio * 2 ** 32;
      const kept = 1 / (1 - ratio);
      for (let index = 0; index < values.length; index++) {
        values[index] = this.#random.uint32() < threshold ? 0 : kept;
      }
    }
  }
}
