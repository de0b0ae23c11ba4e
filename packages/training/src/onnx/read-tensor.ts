import { TrainingError } from "@photinus/core/errors";
import { BYTES_PER_ELEMENT, type DType, elementCount, MAX_RANK, Tensor } from "@photinus/core/tensor";
import { dtypeOf } from "./data-type.ts";
import type { ModelLimits } from "./limits.ts";
import { malformed, type ProtoReader, readNumbers } from "./proto-reader.ts";

/** A tensor and the name that the file gives it. */
export interface NamedTensor {
  /** Empty for the tensor of an attribute. */
  readonly name: string;
  /** Its memory is a view of the file where that is aligned. */
  readonly tensor: Tensor;
}

/** Exporters write weights as raw data; a list of numbers takes eight times its bytes in memory. */
const MAX_LISTED_NUMBERS = 2 ** 24;

interface TensorParts {
  name: string;
  dataType: number;
  readonly dims: number[];
  raw: Uint8Array<ArrayBuffer> | undefined;
  readonly numbers: number[];
  readonly wide: bigint[];
}

/**
 * Reads a TensorProto.
 * @throws TrainingError `ERR_MODEL_EXTERNAL_DATA` when its data lies outside the file,
 *   `ERR_MODEL_TOO_LARGE` above the limits, `ERR_MODEL_MALFORMED` when data and shape differ
 */
export function readTensor(reader: ProtoReader, limits: ModelLimits): NamedTensor {
  const parts: TensorParts = { name: "", dataType: 0, dims: [], raw: undefined, numbers: [], wide: [] };
  while (reader.next()) readField(reader, parts, limits);
  const dtype = dtypeOf(parts.dataType, `tensor ${parts.name}`);
  const count = countElements(parts.dims, parts.name, limits);
  return { name: parts.name, tensor: new Tensor(dtype, parts.dims, dataOf(parts, dtype, count)) };
}

function readField(reader: ProtoReader, parts: TensorParts, limits: ModelLimits): void {
  const limit = MAX_LISTED_NUMBERS;
  switch (reader.field) {
    case 1:
      readNumbers(reader, parts.dims, { read: (from) => from.integer(), limit: MAX_RANK });
      return;
    case 2:
      parts.dataType = reader.integer();
      return;
    case 4:
      readNumbers(reader, parts.numbers, { read: (from) => from.float(), limit });
      return;
    case 5:
      readNumbers(reader, parts.numbers, { read: (from) => from.integer(), limit });
      return;
    case 7:
    case 11:
      readWide(reader, parts.wide);
      return;
    case 8:
      parts.name = reader.text(limits.maxNameBytes);
      return;
    case 9:
      parts.raw = reader.bytes();
      return;
    case 10:
      readNumbers(reader, parts.numbers, { read: (from) => from.double(), limit });
      return;
    case 3:
      malformed("segmented tensors are not supported");
      return;
    case 13:
      refuseExternal(parts.name);
      return;
    case 14:
      if (reader.integer() !== 0) refuseExternal(parts.name);
      return;
    default:
      reader.skip();
  }
}

function readWide(reader: ProtoReader, into: bigint[]): void {
  if (reader.wireType !== "bytes") {
    if (into.length < MAX_LISTED_NUMBERS) into.push(reader.bits64());
    else throw new TrainingError("ERR_MODEL_TOO_LARGE", `list of more than ${MAX_LISTED_NUMBERS} numbers`);
    return;
  }
  const packed = reader.message();
  while (packed.hasMore) {
    into.push(packed.bits64());
    if (into.length > MAX_LISTED_NUMBERS) {
      throw new TrainingError("ERR_MODEL_TOO_LARGE", `list of more than ${MAX_LISTED_NUMBERS} numbers`);
    }
  }
}

function countElements(dims: readonly number[], name: string, limits: ModelLimits): number {
  let count: number;
  try {
    count = elementCount(dims);
  } catch (cause) {
    throw new TrainingError("ERR_MODEL_MALFORMED", `tensor ${name} has no valid shape`, { cause });
  }
  if (count > limits.maxElements) {
    throw new TrainingError("ERR_MODEL_TOO_LARGE", `tensor ${name} has ${count} elements`);
  }
  return count;
}

function dataOf(parts: TensorParts, dtype: DType, count: number): Uint8Array<ArrayBuffer> {
  const expected = count * BYTES_PER_ELEMENT[dtype];
  const given =
    parts.raw?.byteLength ?? (parts.numbers.length + parts.wide.length) * BYTES_PER_ELEMENT[dtype];
  if (given !== expected) malformed(`tensor ${parts.name} has ${given} bytes of data, its shape ${expected}`);
  return parts.raw ?? packNumbers(parts, dtype, expected);
}

type Put = (view: DataView, offset: number, value: number) => void;

// The fields float_data, int32_data and double_data of TensorProto hold these types; f16 and bf16 as their bits.
const PUT: Readonly<Partial<Record<DType, Put>>> = {
  f32: (view, offset, value) => view.setFloat32(offset, value, true),
  f64: (view, offset, value) => view.setFloat64(offset, value, true),
  i32: (view, offset, value) => view.setInt32(offset, value, true),
  i16: (view, offset, value) => view.setInt16(offset, value, true),
  f16: (view, offset, value) => view.setUint16(offset, value, true),
  bf16: (view, offset, value) => view.setUint16(offset, value, true),
  i8: (view, offset, value) => view.setInt8(offset, value),
  u8: (view, offset, value) => view.setUint8(offset, value),
  bool: (view, offset, value) => view.setUint8(offset, value === 0 ? 0 : 1),
};

function packNumbers(parts: TensorParts, dtype: DType, byteLength: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(byteLength));
  if (parts.wide.length > 0) packWide(view, dtype, parts.wide);
  const put = PUT[dtype];
  if (put === undefined && parts.numbers.length > 0) malformed(`tensor ${parts.name} holds another type`);
  parts.numbers.forEach((value, index) => {
    put?.(view, index * BYTES_PER_ELEMENT[dtype], value);
  });
  return new Uint8Array(view.buffer);
}

function packWide(view: DataView<ArrayBuffer>, dtype: DType, values: readonly bigint[]): void {
  if (dtype !== "i64" && dtype !== "u64" && dtype !== "u32") malformed(`integers in a tensor of ${dtype}`);
  values.forEach((value, index) => {
    if (dtype === "u32") view.setUint32(index * 4, Number(BigInt.asUintN(32, value)), true);
    else view.setBigUint64(index * 8, value, true);
  });
}

function refuseExternal(name: string): never {
  throw new TrainingError("ERR_MODEL_EXTERNAL_DATA", `tensor ${name} keeps its data in another file`);
}
