export { addForward } from "./add-forward.ts";
export { Algebra, type Operand } from "./algebra.ts";
export { type AddOptions, GraphBuilder } from "./builder.ts";
export { type DropoutMask, type ImportedModel, importModel } from "./import-model.ts";
export { LOWERINGS } from "./lowering/index.ts";
export { TARGET_OPSET } from "./normalize.ts";
export { numbersOf, tensorOf } from "./numbers.ts";
export { OPERATORS } from "./operators/index.ts";
export { reducedAxes } from "./operators/reduction.ts";
export { padOf, permutationOf, sliceOf, splitOf } from "./operators/view.ts";
export { SEQUENCE_OPERATORS } from "./sequences.ts";
export {
  attribute,
  inputType,
  normalAxis,
  type TypedNode,
  unsupported,
  type ValueType,
} from "./typed-node.ts";
export { transposedWindowOf, type WindowGeometry, windowOf } from "./window.ts";
