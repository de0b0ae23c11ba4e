import { TrainingError } from "@photinus/core/errors";
import type { SeededRandom } from "../../random.ts";
import type { BatchArray, Feature } from "../dataset.ts";

/** One transform of one feature. */
export interface Stage {
  /** What the feature is behind it. */
  readonly feature: Feature;
  /**
   * Transforms `count` examples.
   * @param values one example behind the other; may be changed
   * @returns the examples as {@link feature} says; `values` where they fit in
   * @throws TrainingError `ERR_DATA_MALFORMED`
   */
  apply(values: BatchArray, count: number): BatchArray;
}

/** What a stage is made for. */
export interface StageContext {
  /** What the feature is before it. */
  readonly feature: Feature;
  /** What the random ones draw from; absent where examples are to stay as they are, as for an evaluation. */
  readonly random: SeededRandom | undefined;
}

/** @throws TrainingError `ERR_MODEL_SHAPE` for a transform that says nothing of a feature */
export function unfit({ name, dtype, shape }: Feature, transform: string, expected: string): never {
  throw new TrainingError(
    "ERR_MODEL_SHAPE",
    `${transform} takes ${expected}, ${name} is ${dtype}[${shape}]: take it out of the job's transforms, or change the data`,
  );
}

/** The numbers of a stage that said in its construction that it takes f32. */
export function numbersOf(values: BatchArray): Float32Array {
  if (!(values instanceof Float32Array)) throw new TypeError("expected f32");
  return values;
}
