import type { Bytes } from "@photinus/core/bytes";
import type { Context } from "hono";
import { networkOf } from "./client-address.ts";
import { FairPlaces } from "./fair-places.ts";
import type { Federation, PublishedBlob } from "./federation.ts";
import { refuse } from "./problem.ts";

/** Limits of reading blobs, which needs no token: they are ciphertext. */
export interface BlobLimits {
  /** Blobs that one address reads at a time; an IPv6 network of 64 bits counts as one. Default 32. */
  readonly blobReadsPerAddress: number;
  /** Blobs that are read at a time altogether. Default 256. */
  readonly blobReads: number;
}

/** Options of {@link serveBlobs}. */
export interface BlobOptions {
  readonly blobs: BlobLimits;
  /** Address that limits count by. */
  readonly addressOf: (context: Context) => string;
  /** Cuts the connection of a request. */
  readonly cut: (context: Context) => void;
}

const BLOB_DIGEST = /^[0-9a-f]{64}$/;
const FOR_EVER = "public, max-age=31536000, immutable";
/** What a reader waits when there is no place, in s. */
const RETRY_AFTER_S = 5;

/** `GET /blobs/:digest`: immutable ciphertext, to so many readers at a time. */
export function serveBlobs(
  { federation }: { readonly federation: Federation },
  { blobs, addressOf, cut }: BlobOptions,
): (context: Context) => Promise<Response> {
  const places = new FairPlaces({ perNetwork: blobs.blobReadsPerAddress, altogether: blobs.blobReads });
  return async (context) => {
    const digest = context.req.param("digest") ?? "";
    const blob = BLOB_DIGEST.test(digest) ? await federation.publishedBlob(digest) : undefined;
    if (blob === undefined) return refuse("ERR_NOT_FOUND", "no blob was published under this digest");
    const headers = {
      "content-type": "application/octet-stream",
      "content-length": String(blob.size),
      "cache-control": FOR_EVER,
      etag: `"${digest}"`,
    };
    if (context.req.header("if-none-match")?.includes(headers.etag)) {
      return new Response(null, { status: 304, headers });
    }
    if (context.req.raw.method === "HEAD") return new Response(null, { headers });
    const network = networkOf(addressOf(context));
    // Who reads slowly loses its place to an address that has fewer: the length shows that the rest is missing.
    const leave = places.isFullFor(network) ? undefined : places.add(network, () => cut(context));
    if (leave !== undefined) return new Response(bodyOf(blob, leave), { headers });
    return refuse("ERR_BUSY", "too many blobs are read at once", { "retry-after": String(RETRY_AFTER_S) });
  };
}

/** The ciphertext. @param leave called when it was read, or will not be read any further */
function bodyOf(blob: PublishedBlob, leave: () => void): ReadableStream<Uint8Array> {
  const iterator = iteratorOf(blob.read());
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const part = await iterator.next();
        if (!part.done) {
          controller.enqueue(part.value);
          return;
        }
        leave();
        controller.close();
      } catch (error) {
        leave();
        throw error;
      }
    },
    async cancel() {
      leave();
      await iterator.return?.();
    },
  });
}

function iteratorOf(parts: AsyncIterable<Bytes> | Iterable<Bytes>): AsyncIterator<Bytes> | Iterator<Bytes> {
  return Symbol.asyncIterator in parts ? parts[Symbol.asyncIterator]() : parts[Symbol.iterator]();
}
