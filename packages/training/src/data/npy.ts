import type { Bytes } from "@photinus/core/bytes";
import { elementCount } from "@photinus/core/tensor";
import { type ByteSource, memorySource } from "./byte-source.ts";
import type { BatchArray, Feature } from "./dataset.ts";
import { malformed } from "./idx.ts";

/** An array as NumPy's files hold it. */
export interface NpyArray {
  /** Sizes of the dimensions; [] for a single number. */
  readonly shape: readonly number[];
  /** The elements in row-major order; numbers of 64 bits are rounded to float32. */
  readonly values: BatchArray;
}

/** An array in NumPy's format whose rows are read when they are needed. */
export interface NpyRows {
  /** Sizes of the dimensions; the first is the number of rows. */
  readonly shape: readonly number[];
  /** What its elements become. */
  readonly dtype: Feature["dtype"];
  /** The elements of one row. */
  row(index: number): BatchArray;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const MAX_HEADER_BYTES = 65_536;
const MAX_DIMENSIONS = 8;
const HEADER =
  /^\{'descr': '([<|][a-z]\d)', 'fortran_order': (True|False), 'shape': \(((?:\d{1,10}, ?)*(?:\d{1,10})?)\), ?\}\s*$/;

interface ElementType {
  readonly bytes: number;
  readonly dtype: Feature["dtype"];
  readonly read: (memory: ArrayBuffer) => BatchArray;
}

/** Types by NumPy's names; all little-endian. */
const TYPES: ReadonlyMap<string, ElementType> = new Map<string, ElementType>([
  ["<f4", { bytes: 4, dtype: "f32", read: (memory) => new Float32Array(memory) }],
  ["<f8", { bytes: 8, dtype: "f32", read: (memory) => Float32Array.from(new Float64Array(memory)) }],
  ["<i4", { bytes: 4, dtype: "i32", read: (memory) => new Int32Array(memory) }],
  ["<i8", { bytes: 8, dtype: "i64", read: (memory) => new BigInt64Array(memory) }],
  [
    "|b1",
    {
      bytes: 1,
      dtype: "bool",
      read: (memory) => new Uint8Array(memory).map((value) => (value === 0 ? 0 : 1)),
    },
  ],
  ["|u1", { bytes: 1, dtype: "i32", read: (memory) => Int32Array.from(new Uint8Array(memory)) }],
]);

/**
 * Reads an NPY file (NumPy enhancement proposal 1, versions 1.0 to 3.0): f4, f8, i4, i8, u1 and b1, little-endian, in C order.
 *
 * @param name of the file, for errors
 * @throws TrainingError `ERR_DATA_MALFORMED` when header and length do not agree to the byte, or for any other type or order
 */
export function parseNpy(bytes: Bytes, name: string): NpyArray {
  const { shape, type, start } = layoutOf(memorySource(bytes), name);
  // A copy: the elements need not be aligned in the file.
  const elements = new Uint8Array(bytes.byteLength - start);
  elements.set(bytes.subarray(start));
  return { shape, values: type.read(elements.buffer) };
}

/**
 * An NPY file of which nothing but its header is read at once.
 * @param name of the file, for errors
 * @throws TrainingError `ERR_DATA_MALFORMED` as {@link parseNpy}, or where it has no rows
 */
export function openNpy(source: ByteSource, name: string): NpyRows {
  const { shape, type, start } = layoutOf(source, name);
  if (shape.length === 0) malformed(name, "it is a single number, not one row for each example");
  const rowBytes = elementCount(shape.slice(1)) * type.bytes;
  const row = (index: number): BatchArray => {
    const memory = new Uint8Array(rowBytes);
    source.read(start + index * rowBytes, memory);
    return type.read(memory.buffer);
  };
  return { shape, dtype: type.dtype, row };
}

interface Layout {
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Where the elements begin. */
  readonly start: number;
}

function layoutOf(source: ByteSource, name: string): Layout {
  const { header, start } = headerOf(source, name);
  const [, descr = "", order, sizes = ""] =
    HEADER.exec(header) ?? malformed(name, "its header is not NumPy's");
  const type = TYPES.get(descr);
  if (type === undefined)
    malformed(name, `elements of type ${descr}, expected ${[...TYPES.keys()].join(", ")}`);
  if (order === "True") malformed(name, "it is in Fortran order: save numpy.ascontiguousarray of it");
  const shape = sizes.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)]));
  if (shape.length > MAX_DIMENSIONS) malformed(name, `${shape.length} dimensions, at most ${MAX_DIMENSIONS}`);
  const expected = shape.reduce((product, size) => product * size, 1) * type.bytes;
  const given = source.byteLength - start;
  if (expected !== given) malformed(name, `its header promises ${expected} bytes, ${given} follow`);
  return { shape, type, start };
}

function headerOf(source: ByteSource, name: string): { readonly header: string; readonly start: number } {
  const first = new Uint8Array(12);
  if (source.byteLength >= 12) source.read(0, first);
  if (MAGIC.some((byte, index) => first[index] !== byte)) malformed(name, "it does not begin as an NPY file");
  const view = new DataView(first.buffer, first.byteOffset, first.byteLength);
  const version = view.getUint8(6);
  if (version < 1 || version > 3) malformed(name, `version ${version} of the format`);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES || start + length > source.byteLength)
    malformed(name, "it ends inside its header");
  const header = new Uint8Array(length);
  source.read(start, header);
  return { header: new TextDecoder("latin1").decode(header), start: start + length };
}
