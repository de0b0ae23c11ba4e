import type { Bytes } from "@photinus/core/bytes";
import type { BatchArray } from "./dataset.ts";
import { malformed } from "./idx.ts";

/** An array as NumPy's files hold it. */
export interface NpyArray {
  /** Sizes of the dimensions; [] for a single number. */
  readonly shape: readonly number[];
  /** The elements in row-major order; numbers of 64 bits are rounded to float32. */
  readonly values: BatchArray;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const MAX_HEADER_BYTES = 65_536;
const MAX_DIMENSIONS = 8;
const HEADER =
  /^\{'descr': '([<|][a-z]\d)', 'fortran_order': (True|False), 'shape': \(((?:\d{1,10}, ?)*(?:\d{1,10})?)\), ?\}\s*$/;

interface ElementType {
  readonly bytes: number;
  readonly read: (memory: ArrayBuffer) => BatchArray;
}

/** Types by NumPy's names; all little-endian. */
const TYPES: ReadonlyMap<string, ElementType> = new Map<string, ElementType>([
  ["<f4", { bytes: 4, read: (memory) => new Float32Array(memory) }],
  ["<f8", { bytes: 8, read: (memory) => Float32Array.from(new Float64Array(memory)) }],
  ["<i4", { bytes: 4, read: (memory) => new Int32Array(memory) }],
  ["<i8", { bytes: 8, read: (memory) => new BigInt64Array(memory) }],
  ["|b1", { bytes: 1, read: (memory) => new Uint8Array(memory).map((value) => (value === 0 ? 0 : 1)) }],
  ["|u1", { bytes: 1, read: (memory) => Int32Array.from(new Uint8Array(memory)) }],
]);

/**
 * Reads an NPY file (NumPy enhancement proposal 1, versions 1.0 to 3.0): f4, f8, i4, i8, u1 and b1, little-endian, in C order.
 *
 * @param name of the file, for errors
 * @throws TrainingError `ERR_DATA_MALFORMED` when header and length do not agree to the byte, or for any other type or order
 */
export function parseNpy(bytes: Bytes, name: string): NpyArray {
  const { header, start } = headerOf(bytes, name);
  const [, descr = "", order, sizes = ""] =
    HEADER.exec(header) ?? malformed(name, "its header is not NumPy's");
  const type = TYPES.get(descr);
  if (type === undefined)
    malformed(name, `elements of type ${descr}, expected ${[...TYPES.keys()].join(", ")}`);
  if (order === "True") malformed(name, "it is in Fortran order: save numpy.ascontiguousarray of it");
  const shape = sizes.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)]));
  if (shape.length > MAX_DIMENSIONS) malformed(name, `${shape.length} dimensions, at most ${MAX_DIMENSIONS}`);
  const expected = shape.reduce((product, size) => product * size, 1) * type.bytes;
  const given = bytes.byteLength - start;
  if (expected !== given) malformed(name, `its header promises ${expected} bytes, ${given} follow`);
  // A copy: the elements need not be aligned in the file.
  const elements = new Uint8Array(given);
  elements.set(bytes.subarray(start));
  return { shape, values: type.read(elements.buffer) };
}

function headerOf(bytes: Bytes, name: string): { readonly header: string; readonly start: number } {
  if (bytes.byteLength < 12 || MAGIC.some((byte, index) => bytes[index] !== byte)) {
    malformed(name, "it does not begin as an NPY file");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint8(6);
  if (version < 1 || version > 3) malformed(name, `version ${version} of the format`);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES || start + length > bytes.byteLength)
    malformed(name, "it ends inside its header");
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, start + length));
  return { header, start: start + length };
}
