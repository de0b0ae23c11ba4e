import { type Bytes, concatBytes } from "./bytes.ts";

/** Packed bytes given to the decompressor at a time: deflate grows them by no more than 1 032, whatever a limit was told. */
const MOST_SLICE_BYTES = 65_536;
const LEAST_SLICE_BYTES = 1_024;
const MOST_GROWTH = 1_032;

/**
 * Unpacks gzip (RFC 1952) or deflate without a header (RFC 1951). At most about twice `maxBytes`, or `maxBytes` and 1 MiB, are
 * ever held, whatever the packed bytes would grow to.
 *
 * @throws RangeError when there are more than `maxBytes`; anything else when the data is damaged
 */
export async function decompress(
  bytes: Bytes,
  format: "gzip" | "deflate-raw",
  maxBytes: number,
): Promise<Bytes> {
  const sliceBytes = Math.min(
    MOST_SLICE_BYTES,
    Math.max(LEAST_SLICE_BYTES, Math.ceil(maxBytes / MOST_GROWTH)),
  );
  const reader = slicesOf(bytes, sliceBytes).pipeThrough(new DecompressionStream(format)).getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatBytes(...chunks);
    total += value.byteLength;
    if (total > maxBytes) {
      await reader.cancel().catch(() => undefined); // nobody reads on
      throw new RangeError(`unpacks to more than ${maxBytes} bytes`);
    }
    chunks.push(value);
  }
}

/** The decompressor unpacks what it is given at once: it gets the next slice when somebody has read that. */
function slicesOf(bytes: Bytes, sliceBytes: number): ReadableStream<Bytes> {
  let at = 0;
  return new ReadableStream<Bytes>(
    {
      pull(controller) {
        if (at < bytes.length) controller.enqueue(bytes.subarray(at, at + sliceBytes));
        else controller.close();
        at += sliceBytes;
      },
    },
    { highWaterMark: 0 },
  );
}
