export { decode } from "./decode.ts";
export {
  createRegistry,
  DEFAULT_DECOMPOSER_LIMITS,
  type Decomposer,
  type DecomposerLimits,
  type DecomposerRegistry,
  REGISTERED_EXTENSION,
  type RegisteredClass,
} from "./decomposer.ts";
export { encode } from "./encode.ts";
export { PositionalReader, type PositionalValue, readPositional, writePositional } from "./positional.ts";
export { builtInDecomposers, builtInRegistry } from "./types/built-in.ts";
export {
  booleanField,
  bytesField,
  finiteField,
  integerField,
  listField,
  optionalField,
  textField,
  unionField,
  valueField,
} from "./types/fields.ts";
export { type RecordField, type RecordFields, type RecordOptions, recordDecomposer } from "./types/record.ts";
