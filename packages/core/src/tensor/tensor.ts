import { type Bytes, toBytes } from "../bytes/index.ts";
import { BYTES_PER_ELEMENT, type DType } from "./dtype.ts";

/** Most dimensions a tensor may have. */
export const MAX_RANK = 8;

/** Number of elements of a shape; 1 for a scalar. @throws RangeError unless every dimension is a safe integer >= 0 */
export function elementCount(shape: readonly number[]): number {
  if (shape.length > MAX_RANK) throw new RangeError(`at most ${MAX_RANK} dimensions, got ${shape.length}`);
  let count = 1;
  for (const dimension of shape) {
    const isCount = Number.isSafeInteger(dimension) && dimension >= 0 && !Object.is(dimension, -0);
    if (!isCount) throw new RangeError(`bad dimension ${dimension}`);
    count *= dimension;
  }
  if (!Number.isSafeInteger(count)) throw new RangeError("too many elements");
  return count;
}

/** A dense array: element type, shape, raw little-endian bytes in row-major order. */
export class Tensor {
  /** Type of the elements. */
  readonly dtype: DType;
  /** `[]` is a scalar. */
  readonly shape: readonly number[];
  /** `elementCount(shape) * BYTES_PER_ELEMENT[dtype]` bytes, aligned to the element size. Not to be changed. */
  readonly data: Bytes;

  /**
   * @param data kept, not copied, unless it is not aligned to the element size
   * @throws RangeError when the length of `data` is not that of the shape
   */
  constructor(dtype: DType, shape: readonly number[], data: Bytes) {
    const expected = elementCount(shape) * BYTES_PER_ELEMENT[dtype];
    if (data.byteLength !== expected) {
      throw new RangeError(`${dtype}[${shape.join(",")}] has ${expected} bytes, got ${data.byteLength}`);
    }
    this.dtype = dtype;
    this.shape = Object.freeze([...shape]);
    this.data = data.byteOffset % BYTES_PER_ELEMENT[dtype] === 0 ? data : new Uint8Array(data); // from() would go element by element
  }

  /** A float tensor over the memory of `values`. */
  static f32(shape: readonly number[], values: Float32Array): Tensor {
    return new Tensor("f32", shape, toBytes(values));
  }

  /** The elements of an f32 tensor, without a copy. @throws TypeError for another dtype */
  get f32(): Float32Array<ArrayBuffer> {
    if (this.dtype !== "f32") throw new TypeError(`expected an f32 tensor, got ${this.dtype}`);
    return new Float32Array(this.data.buffer, this.data.byteOffset, this.data.byteLength / 4);
  }
}
