import { blockKinds } from "./block-kinds.ts";
import { clipNorm } from "./clip-norm.ts";
import type { FilterKind, FilterRegistry } from "./filter.ts";
import { gaussianNoise } from "./gaussian-noise.ts";
import { halfPrecision } from "./half-precision.ts";
import { int8 } from "./int8.ts";
import { percentile } from "./percentile.ts";
import { allowParameters, excludeParameters } from "./select-parameters.ts";
import { sparseVector } from "./sparse-vector.ts";
import { topK } from "./top-k.ts";

const BUILT_IN: readonly FilterKind[] = [
  excludeParameters,
  allowParameters,
  clipNorm,
  gaussianNoise,
  percentile,
  sparseVector,
  halfPrecision,
  int8,
  topK,
  blockKinds,
];

/** The filters that come with Photinus, by name, and `more`. */
export function filterRegistry(more: Iterable<FilterKind> = []): FilterRegistry {
  return new Map([...BUILT_IN, ...more].map((kind) => [kind.name, kind]));
}
