import type { OperatorTable } from "../operator.ts";
import { inputType } from "../typed-node.ts";

/** Operators that write into a copy of their first input. */
export const SCATTER: OperatorTable = { ScatterElements: { infer: (typed) => [inputType(typed, 0)] } };
