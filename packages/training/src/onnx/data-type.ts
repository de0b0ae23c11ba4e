import { TrainingError } from "@photinus/core/errors";
import type { DType } from "@photinus/core/tensor";

// TensorProto.DataType of onnx.proto (ONNX 1.20); strings, complex numbers and the 4- and 8-bit floats have no DType.
const NUMBER_OF: Readonly<Record<DType, number>> = {
  f32: 1,
  u8: 2,
  i8: 3,
  i16: 5,
  i32: 6,
  i64: 7,
  bool: 9,
  f16: 10,
  f64: 11,
  u32: 12,
  u64: 13,
  bf16: 16,
};

const DTYPE_OF: ReadonlyMap<number, DType> = new Map(
  // Object.entries widens the key, which is a DType by the type of the table.
  Object.entries(NUMBER_OF).map(([dtype, number]) => [number, dtype as DType]),
);

/** The number of `dtype` in ONNX files. */
export function dataTypeOf(dtype: DType): number {
  return NUMBER_OF[dtype];
}

/** @throws TrainingError `ERR_MODEL_MALFORMED` for an element type that Photinus has no tensors of */
export function dtypeOf(dataType: number, name: string): DType {
  const dtype = DTYPE_OF.get(dataType);
  if (dtype === undefined) {
    throw new TrainingError("ERR_MODEL_MALFORMED", `${name}: element type ${dataType} is not supported`);
  }
  return dtype;
}
