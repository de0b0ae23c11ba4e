export { BYTES_PER_ELEMENT, type DType, isDType, isFloatDType } from "./dtype.ts";
export {
  layoutOf,
  layoutOfParameters,
  packParameters,
  TENSOR_ALIGNMENT,
  type TensorEntry,
  type TensorLayout,
  unpackParameters,
} from "./layout.ts";
export { matchesPattern } from "./name-pattern.ts";
export { type ParameterDescriptor, ParameterSet } from "./parameter-set.ts";
export { squaresOf } from "./squares.ts";
export { elementCount, MAX_RANK, Tensor } from "./tensor.ts";
