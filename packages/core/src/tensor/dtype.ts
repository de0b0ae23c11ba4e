/** Element types of tensors, as they are named on the wire. */
export type DType =
  | "f32"
  | "f16"
  | "bf16"
  | "f64"
  | "i8"
  | "u8"
  | "i16"
  | "i32"
  | "u32"
  | "i64"
  | "u64"
  | "bool";

/** Bytes per element. */
export const BYTES_PER_ELEMENT: Readonly<Record<DType, 1 | 2 | 4 | 8>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  f64: 8,
  i8: 1,
  u8: 1,
  i16: 2,
  i32: 4,
  u32: 4,
  i64: 8,
  u64: 8,
  bool: 1,
};

/** True for a name of {@link DType}. */
export function isDType(name: unknown): name is DType {
  return typeof name === "string" && Object.hasOwn(BYTES_PER_ELEMENT, name);
}

/** True for dtypes that may be averaged and trained. */
export function isFloatDType(dtype: DType): boolean {
  return dtype === "f32" || dtype === "f16" || dtype === "bf16" || dtype === "f64";
}
