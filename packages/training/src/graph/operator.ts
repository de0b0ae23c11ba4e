import type { Tensor } from "@photinus/core/tensor";
import type { TypedNode, ValueType } from "./typed-node.ts";

/** What the engine knows of an operator besides its gradient. */
export interface Operator {
  /**
   * Types of the outputs.
   * @throws TrainingError `ERR_MODEL_SHAPE`, or `ERR_MODEL_OPERATOR` for a form that is not supported
   */
  readonly infer: (typed: TypedNode) => readonly ValueType[];
  /**
   * The one output, when it can be computed while compiling; undefined when it is left to the runtime. Called
   * for small tensors only, and only if all inputs are constant.
   */
  readonly fold?: (typed: TypedNode, type: ValueType) => Tensor | undefined;
}

/** Operators by name. */
export type OperatorTable = Readonly<Record<string, Operator>>;
