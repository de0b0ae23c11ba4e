import { type Bytes, decompress } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";

/** Most bytes that a data file may have when it is unpacked. */
export const MAX_UNPACKED_BYTES: number = 2 ** 30;

const isGzip = (bytes: Bytes): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Unpacks gzip (RFC 1952); bytes of any other kind are returned as they are.
 *
 * @param name of the file, for errors
 * @throws TrainingError `ERR_DATA_MALFORMED` when the data is damaged or unpacks to more than `maxBytes`
 */
export async function gunzip(
  bytes: Bytes,
  name: string,
  maxBytes: number = MAX_UNPACKED_BYTES,
): Promise<Bytes> {
  if (!isGzip(bytes)) return bytes;
  try {
    return await decompress(bytes, "gzip", maxBytes);
  } catch (cause) {
    const detail = cause instanceof RangeError ? cause.message : "damaged gzip data";
    throw new TrainingError("ERR_DATA_MALFORMED", `${name}: ${detail}`, { cause });
  }
}
