import { type Bytes, concatBytes } from "../bytes/index.ts";
import { BYTES_PER_ELEMENT, type DType } from "./dtype.ts";
import { ParameterSet } from "./parameter-set.ts";
import { elementCount, Tensor } from "./tensor.ts";

/** Tensors begin at multiples of this many bytes in a stream. */
export const TENSOR_ALIGNMENT = 16;

/** Where one tensor lies in the bytes of a ParameterSet. */
export interface TensorEntry {
  /** Name of the parameter. */
  readonly name: string;
  /** Type of its elements. */
  readonly dtype: DType;
  /** Its dimensions, slowest first. */
  readonly shape: readonly number[];
  /** Bytes from the start; a multiple of {@link TENSOR_ALIGNMENT}. */
  readonly offset: number;
}

/** The tensor table of a ParameterSet and its total length in bytes, padding included. */
export interface TensorLayout {
  /** In the order of the stream. */
  readonly tensors: readonly TensorEntry[];
  /** Bytes of the whole, padding between tensors included. */
  readonly byteLength: number;
}

const align = (offset: number): number => Math.ceil(offset / TENSOR_ALIGNMENT) * TENSOR_ALIGNMENT;

/** Lays tensors out one after another, each aligned. */
export function layoutOf(
  tensors: Iterable<{ readonly name: string; readonly dtype: DType; readonly shape: readonly number[] }>,
): TensorLayout {
  const entries: TensorEntry[] = [];
  let end = 0;
  for (const { name, dtype, shape } of tensors) {
    const offset = align(end);
    entries.push({ name, dtype, shape, offset });
    end = offset + elementCount(shape) * BYTES_PER_ELEMENT[dtype];
  }
  return { tensors: entries, byteLength: end };
}

/** The layout of `parameters`, in their order. */
export function layoutOfParameters(parameters: ParameterSet): TensorLayout {
  return layoutOf(parameters.entries().map(([name, { dtype, shape }]) => ({ name, dtype, shape })));
}

/** The bytes of `parameters` under {@link layoutOfParameters}; padding is zero. */
export function packParameters(parameters: ParameterSet): Bytes {
  const { tensors, byteLength } = layoutOfParameters(parameters);
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const { name, offset } of tensors) {
    const data = parameters.get(name)?.data ?? new Uint8Array(0);
    if (offset > end) parts.push(new Uint8Array(offset - end));
    parts.push(data);
    end = offset + data.byteLength;
  }
  const packed = concatBytes(...parts);
  if (packed.byteLength !== byteLength) throw new RangeError("layout and tensors differ");
  return packed;
}

/**
 * The ParameterSet that lies in `bytes` (views, no copies, where the memory is aligned).
 * @throws RangeError when a tensor of the table lies outside `bytes`
 */
export function unpackParameters(layout: TensorLayout, bytes: Bytes): ParameterSet {
  if (bytes.byteLength !== layout.byteLength) {
    throw new RangeError(`layout has ${layout.byteLength} bytes, got ${bytes.byteLength}`);
  }
  return new ParameterSet(
    layout.tensors.map(({ name, dtype, shape, offset }) => {
      const length = elementCount(shape) * BYTES_PER_ELEMENT[dtype];
      if (offset + length > bytes.byteLength) throw new RangeError(`tensor ${name} ends outside`);
      return [name, new Tensor(dtype, shape, bytes.subarray(offset, offset + length))];
    }),
  );
}
