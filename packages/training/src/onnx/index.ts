export { dataTypeOf } from "./data-type.ts";
export { DEFAULT_MODEL_LIMITS, type ModelLimits } from "./limits.ts";
export {
  type Attribute,
  type Dimension,
  float,
  type Graph,
  int,
  ints,
  type Model,
  type Node,
  text,
  type Value,
  withInitializers,
} from "./model.ts";
export { readModel } from "./read-model.ts";
export { writeModel } from "./write-model.ts";
