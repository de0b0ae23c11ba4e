import type { Bytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";

/** An array of bytes as an IDX file holds it. */
export interface IdxArray {
  /** Sizes of the dimensions; the first is the number of examples. */
  readonly shape: readonly number[];
  /** The elements in row-major order: a view of the file. */
  readonly values: Bytes;
}

const UNSIGNED_BYTE = 0x08;
const MAX_DIMENSIONS = 4;

/**
 * Reads an IDX file of unsigned bytes (LeCun, Cortes, Burges: "The MNIST database", file formats): two zero bytes,
 * the type, the number of dimensions, their sizes as big-endian 32-bit integers, the elements.
 *
 * @param name of the file, for errors
 * @throws TrainingError `ERR_DATA_MALFORMED` when header and length do not agree to the byte
 */
export function parseIdx(bytes: Bytes, name: string): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 4 || view.getUint16(0) !== 0) malformed(name, "it does not begin as an IDX file");
  const [type, rank] = [view.getUint8(2), view.getUint8(3)];
  if (type !== UNSIGNED_BYTE) malformed(name, `elements of type ${type}, expected unsigned bytes`);
  if (rank < 1 || rank > MAX_DIMENSIONS)
    malformed(name, `${rank} dimensions, expected 1 to ${MAX_DIMENSIONS}`);
  const headerBytes = 4 + 4 * rank;
  if (bytes.byteLength < headerBytes) malformed(name, "it ends inside its header");
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, size) => product * size, 1);
  const given = bytes.byteLength - headerBytes;
  if (count !== given) malformed(name, `its header promises ${count} bytes, ${given} follow`);
  return { shape, values: bytes.subarray(headerBytes) };
}

/** @throws TrainingError `ERR_DATA_MALFORMED` */
export function malformed(name: string, what: string): never {
  throw new TrainingError("ERR_DATA_MALFORMED", `${name}: ${what}`);
}
