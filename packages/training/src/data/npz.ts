import { type Bytes, readZipDirectory, unpackZipEntry, type ZipLimits } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import { MAX_UNPACKED_BYTES } from "./gunzip.ts";
import { malformed } from "./idx.ts";
import { type NpyArray, parseNpy } from "./npy.ts";

const SUFFIX = ".npy";

const LIMITS: ZipLimits = {
  entries: 256,
  fileBytes: MAX_UNPACKED_BYTES,
  totalBytes: MAX_UNPACKED_BYTES,
  expansion: 1_032, // arrays of zeros are packed as far as the format goes; the sum of all sizes is what counts
  isName: (name) => name.endsWith(SUFFIX) && name.length <= 256,
  hasLongHeaders: true,
};

/**
 * Reads an NPZ file, as numpy.savez and numpy.savez_compressed write it: a zip file of arrays. The sizes of all of them are compared
 * with the limit before one is unpacked, and none grows beyond the size that it claims.
 *
 * @param name of the file, for errors
 * @returns the arrays by the names that they were saved under
 * @throws TrainingError `ERR_DATA_MALFORMED` for a zip file that is damaged or hostile, more than 1 GiB of arrays, anything in it
 *   that is no array, or as {@link parseNpy}
 */
export async function parseNpz(bytes: Bytes, name: string): Promise<ReadonlyMap<string, NpyArray>> {
  const arrays = new Map<string, NpyArray>();
  try {
    for (const entry of readZipDirectory(bytes, LIMITS)) {
      const key = entry.name.slice(0, -SUFFIX.length);
      if (arrays.has(key)) malformed(name, `${key.slice(0, 80)} occurs twice`);
      arrays.set(key, parseNpy(await unpackZipEntry(bytes, entry), `${key.slice(0, 80)} of ${name}`));
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const advice = "save it again by numpy.savez, or each array by numpy.save";
    throw new TrainingError("ERR_DATA_MALFORMED", `${name}: ${cause.message}: ${advice}`, { cause });
  }
  return arrays;
}
