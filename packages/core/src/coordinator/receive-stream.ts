import type { Bytes } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { Clock, Timer } from "../platform/index.ts";
import type { Session } from "../session/index.ts";
import { ChunkSet, type StreamManifest } from "../stream/index.ts";

/** A peer that announced a stream and sends no chunk of it for this long loses its slot. */
export const STALL_MS = 15_000;

/** A stream of which nothing came for {@link STALL_MS}. */
export class StalledStream extends EnvelopeError {
  constructor() {
    super("ERR_STREAM_REFUSED", `no chunk came for ${STALL_MS} ms`);
  }
}

/** Where a stream goes. */
export interface StreamTarget {
  /** As many bytes as the manifest says. */
  readonly bytes: Bytes;
  /** Chunks that are there from an earlier session; those that come now are added. Default: none. */
  readonly received?: ChunkSet;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called after each chunk with the bytes that are there. */
  readonly onProgress?: (receivedBytes: number) => void;
}

/**
 * Receives a stream into memory. A peer that stalls is given up, so that it does not keep others waiting for its slot.
 * @throws StalledStream after {@link STALL_MS} without a chunk; EnvelopeError and others as `Session.acceptStream`
 */
export async function receiveStream(
  session: Session,
  manifest: StreamManifest,
  { bytes, received = new ChunkSet(manifest), clock, signal, onProgress }: StreamTarget,
): Promise<void> {
  const stall = new AbortController();
  let timer: Timer | undefined;
  const startTimer = (): void => {
    timer?.cancel();
    timer = clock.after(STALL_MS, () => stall.abort(new StalledStream()));
  };
  const sink = {
    received,
    write(offset: number, data: Bytes): void {
      bytes.set(data, offset);
      received.add(offset / manifest.chunkBytes);
      startTimer();
      onProgress?.(received.byteLength);
    },
  };
  startTimer();
  try {
    await session.acceptStream(manifest, sink, AbortSignal.any([signal, stall.signal]));
  } finally {
    timer?.cancel();
  }
}
