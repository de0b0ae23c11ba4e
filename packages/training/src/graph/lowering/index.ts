import { ACTIVATION_LOWERINGS } from "./activation.ts";
import { ATTENTION_LOWERINGS } from "./attention.ts";
import { EINSUM_LOWERINGS } from "./einsum.ts";
import type { Lowering, LoweringTable } from "./lowering.ts";
import { NORMALIZATION_LOWERINGS } from "./normalization.ts";
import { POOLING_LOWERINGS } from "./pooling.ts";
import { REARRANGEMENT_LOWERINGS } from "./rearrangement.ts";
import { RECURRENT_LOWERINGS } from "./recurrent.ts";
import { RESIZE_LOWERINGS } from "./resize.ts";

export type { LoweringContext } from "./lowering.ts";

const GROUPS: readonly LoweringTable[] = [
  ACTIVATION_LOWERINGS,
  NORMALIZATION_LOWERINGS,
  POOLING_LOWERINGS,
  REARRANGEMENT_LOWERINGS,
  RECURRENT_LOWERINGS,
  EINSUM_LOWERINGS,
  RESIZE_LOWERINGS,
  ATTENTION_LOWERINGS,
];

/** Operators that are written in others while a model is imported. A Map: names come from files. */
export const LOWERINGS: ReadonlyMap<string, Lowering> = new Map(
  GROUPS.flatMap((group) => Object.entries(group)),
);
