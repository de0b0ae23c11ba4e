import { type Bytes, concatBytes } from "@photinus/core/bytes";
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
  const chunks: Uint8Array[] = [];
  let total = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new TrainingError("ERR_DATA_MALFORMED", `${name}: damaged gzip data`, { cause });
    });
    if (done) return concatBytes(...chunks);
    chunks.push(value);
    total += value.byteLength;
    if (total > maxBytes) {
      await reader.cancel();
      throw new TrainingError("ERR_DATA_MALFORMED", `${name}: unpacks to more than ${maxBytes} bytes`);
    }
  }
}
