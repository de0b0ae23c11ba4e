import { type Bytes, toBytes } from "../../bytes/index.ts";
import { type Decomposer, requireBytes } from "../decomposer.ts";

/** Typed arrays that travel by a decomposer; Uint8Array is native. */
type TypedArray =
  | Int8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

interface TypedArrayClass<T extends TypedArray> {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
  new (buffer: ArrayBuffer): T;
}

/**
 * A typed array, as its little-endian bytes. All platforms that run WebAssembly and WebGPU are little endian, and
 * {@link typedArrayDecomposers} refuses to be made on one that is not.
 */
function typedArray<T extends TypedArray>(id: number, type: TypedArrayClass<T>): Decomposer<T> {
  return {
    id,
    name: type.name,
    type,
    decompose: (value): Bytes => toBytes(value),
    compose(fields) {
      const bytes = requireBytes(fields);
      if (bytes.byteLength % type.BYTES_PER_ELEMENT !== 0)
        throw new RangeError("not a whole number of elements");
      return new type(Uint8Array.from(bytes).buffer);
    },
  };
}

/**
 * Decomposers of the typed arrays but Uint8Array. Float16Array is not among them: not every runtime has it, and half
 * precision travels as tensors.
 * @throws TypeError on a big-endian machine
 */
export function typedArrayDecomposers(): readonly Decomposer[] {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1)
    throw new TypeError("a little-endian machine is needed");
  return [
    typedArray(10, Int8Array),
    typedArray(11, Int16Array),
    typedArray(12, Uint16Array),
    typedArray(13, Int32Array),
    typedArray(14, Uint32Array),
    typedArray(15, BigInt64Array),
    typedArray(16, BigUint64Array),
    typedArray(17, Float32Array),
    typedArray(18, Float64Array),
    typedArray(19, Uint8ClampedArray),
  ];
}
