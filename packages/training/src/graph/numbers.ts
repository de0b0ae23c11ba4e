import { BYTES_PER_ELEMENT, type DType, elementCount, Tensor } from "@photinus/core/tensor";

interface Access {
  readonly get: (view: DataView, offset: number) => number;
  readonly set: (view: DataView, offset: number, value: number) => void;
}

// Half floats are left out: nothing that is folded or trained uses them.
const ACCESS: Readonly<Partial<Record<DType, Access>>> = {
  f32: { get: (v, o) => v.getFloat32(o, true), set: (v, o, x) => v.setFloat32(o, x, true) },
  f64: { get: (v, o) => v.getFloat64(o, true), set: (v, o, x) => v.setFloat64(o, x, true) },
  i8: { get: (v, o) => v.getInt8(o), set: (v, o, x) => v.setInt8(o, x) },
  u8: { get: (v, o) => v.getUint8(o), set: (v, o, x) => v.setUint8(o, x) },
  i16: { get: (v, o) => v.getInt16(o, true), set: (v, o, x) => v.setInt16(o, x, true) },
  i32: { get: (v, o) => v.getInt32(o, true), set: (v, o, x) => v.setInt32(o, x, true) },
  u32: { get: (v, o) => v.getUint32(o, true), set: (v, o, x) => v.setUint32(o, x, true) },
  i64: {
    get: (v, o) => Number(v.getBigInt64(o, true)),
    set: (v, o, x) => v.setBigInt64(o, toInt64(x), true),
  },
  u64: {
    get: (v, o) => Number(v.getBigUint64(o, true)),
    set: (v, o, x) => v.setBigUint64(o, BigInt(x), true),
  },
  bool: { get: (v, o) => v.getUint8(o), set: (v, o, x) => v.setUint8(o, x === 0 ? 0 : 1) },
};

/**
 * The greatest int64, which stands for "to the end", is 2^63 as a number.
 * @throws RangeError for what is no int64
 */
function toInt64(value: number): bigint {
  if (value === 2 ** 63) return 2n ** 63n - 1n;
  if (Math.abs(value) > 2 ** 63) throw new RangeError(`${value} overflows int64`);
  return BigInt(value);
}

/** True for the element types that {@link numbersOf} reads. */
export function hasNumbers(dtype: DType): boolean {
  return ACCESS[dtype] !== undefined;
}

/**
 * The elements of a small tensor as numbers; integers beyond 2^53 lose their last digits, which no shape has.
 * @throws RangeError for half floats
 */
export function numbersOf({ dtype, shape, data }: Tensor): number[] {
  const access = accessOf(dtype);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const width = BYTES_PER_ELEMENT[dtype];
  return Array.from({ length: elementCount(shape) }, (_, index) => access.get(view, index * width));
}

/** A tensor of these elements. @throws RangeError for half floats, or when the number of elements is not the shape's */
export function tensorOf(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  const access = accessOf(dtype);
  const width = BYTES_PER_ELEMENT[dtype];
  const view = new DataView(new ArrayBuffer(values.length * width));
  values.forEach((value, index) => {
    access.set(view, index * width, value);
  });
  return new Tensor(dtype, shape, new Uint8Array(view.buffer));
}

function accessOf(dtype: DType): Access {
  const access = ACCESS[dtype];
  if (access === undefined) throw new RangeError(`no numbers of ${dtype}`);
  return access;
}
