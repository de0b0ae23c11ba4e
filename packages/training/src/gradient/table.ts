import { CONVOLUTION_GRADIENTS } from "./convolution.ts";
import { ELEMENTWISE_GRADIENTS } from "./elementwise.ts";
import { INDEXING_GRADIENTS } from "./indexing.ts";
import { LINEAR_GRADIENTS } from "./linear.ts";
import { POOLING_GRADIENTS } from "./pooling.ts";
import { REDUCTION_GRADIENTS } from "./reduction.ts";
import type { GradientRule, GradientTable } from "./rule.ts";
import { SOFTMAX_GRADIENTS } from "./softmax.ts";
import { VIEW_GRADIENTS } from "./view.ts";

const GROUPS: readonly GradientTable[] = [
  LINEAR_GRADIENTS,
  CONVOLUTION_GRADIENTS,
  POOLING_GRADIENTS,
  ELEMENTWISE_GRADIENTS,
  REDUCTION_GRADIENTS,
  VIEW_GRADIENTS,
  SOFTMAX_GRADIENTS,
  INDEXING_GRADIENTS,
];

/** Every rule by operator. A Map: names come from files. */
export const GRADIENTS: ReadonlyMap<string, GradientRule> = new Map(
  GROUPS.flatMap((group) => Object.entries(group)),
);
