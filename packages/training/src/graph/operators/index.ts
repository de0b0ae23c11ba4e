import type { Operator, OperatorTable } from "../operator.ts";
import { CONVOLUTION } from "./convolution.ts";
import { ELEMENTWISE } from "./elementwise.ts";
import { LINEAR } from "./linear.ts";
import { POOLING } from "./pooling.ts";
import { REDUCTION } from "./reduction.ts";
import { SCATTER } from "./scatter.ts";
import { VIEW } from "./view.ts";

const GROUPS: readonly OperatorTable[] = [
  LINEAR,
  CONVOLUTION,
  POOLING,
  ELEMENTWISE,
  REDUCTION,
  SCATTER,
  VIEW,
];

/** Every operator that the engine computes shapes of. A Map: names come from files, "constructor" is none of them. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  GROUPS.flatMap((group) => Object.entries(group)),
);
