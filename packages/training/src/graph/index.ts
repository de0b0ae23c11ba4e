export { type AddOptions, GraphBuilder } from "./builder.ts";
export { type ImportedModel, importModel } from "./import-model.ts";
export { TARGET_OPSET } from "./normalize.ts";
export { numbersOf, tensorOf } from "./numbers.ts";
export { OPERATORS } from "./operators/index.ts";
export { reducedAxes } from "./operators/reduction.ts";
export { permutationOf } from "./operators/view.ts";
export {
  attribute,
  equalShapes,
  inputType,
  type TypedNode,
  unsupported,
  type ValueType,
} from "./typed-node.ts";
export { type WindowGeometry, windowOf } from "./window.ts";
