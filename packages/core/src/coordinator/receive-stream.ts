import type { Bytes } from "../bytes/index.ts";
import { EnvelopeError, WireError } from "../errors/index.ts";
import type { Clock, Timer } from "../platform/index.ts";
import type { Session } from "../session/index.ts";
import { ChunkSet, type StreamManifest } from "../stream/index.ts";
import type { UploadSlot } from "./upload-slots.ts";

/** A peer that announced a stream and sends no chunk of it for this long loses its slot. */
export const STALL_MS = 15_000;
/** Least rate of an upload while somebody waits for its slot, bytes a second: a quarter of a megabit. */
export const LEAST_UPLOAD_RATE = 32_768;
/** Over so long it is measured, one time after the other, ms. */
export const UPLOAD_RATE_MS = 30_000;

/** A stream of which nothing came for {@link STALL_MS}. */
class StalledStream extends EnvelopeError {
  constructor() {
    super("ERR_STREAM_REFUSED", `no chunk came for ${STALL_MS} ms`);
  }
}

/** A stream that came too slowly while somebody else waited for its slot. */
class SlowStream extends WireError {
  constructor() {
    super("ERR_UPLOAD_SLOW", "others wait, and less than 32 KiB a second came; go on in your next turn");
  }
}

/** What a peer is told whose stream was given up but not refused: to come back, and to go on where it was. */
export interface ComeBack {
  /** Why its session ends. */
  readonly code: "ERR_GOING_AWAY" | "ERR_UPLOAD_SLOW";
  /** For people. */
  readonly detail: string;
}

/**
 * What a failed {@link receiveStream} means for its peer.
 * @param came chunks that came this time
 * @returns `undefined` when it is not to come back
 */
export function comeBackAfter(error: unknown, came: number): ComeBack | undefined {
  if (error instanceof SlowStream) return { code: "ERR_UPLOAD_SLOW", detail: error.message };
  // A line that went dead in the middle looks like this from here: another one may do better.
  if (error instanceof StalledStream && came > 0) {
    return { code: "ERR_GOING_AWAY", detail: "the upload stalled; connect again to go on with it" };
  }
  return undefined;
}

/** Where a stream goes. */
export interface StreamTarget {
  /** As many bytes as the manifest says. */
  readonly slot: UploadSlot;
  /** Chunks that are there from an earlier session; those that come now are added. Default: none. */
  readonly received?: ChunkSet;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called after each chunk with the bytes that are there. */
  readonly onProgress?: (receivedBytes: number) => void;
}

/**
 * Receives a stream into a slot. A peer that stalls is given up, and one that is slow while others wait for the slot: so
 * that K of them do not keep everybody waiting.
 * @throws the errors of which {@link comeBackAfter} tells what they mean; EnvelopeError and others as
 *   `Session.acceptStream`
 */
export async function receiveStream(
  session: Session,
  manifest: StreamManifest,
  { slot, received = new ChunkSet(manifest), clock, signal, onProgress }: StreamTarget,
): Promise<void> {
  const giveUp = new AbortController();
  let timer: Timer | undefined;
  const startTimer = (): void => {
    timer?.cancel();
    timer = clock.after(STALL_MS, () => giveUp.abort(new StalledStream()));
  };
  const sink = {
    received,
    write(offset: number, data: Bytes): void {
      slot.bytes.set(data, offset);
      received.add(offset / manifest.chunkBytes);
      startTimer();
      onProgress?.(received.byteLength);
    },
  };
  startTimer();
  const watch = watchRate({ slot, received, clock }, () => giveUp.abort(new SlowStream()));
  try {
    await session.acceptStream(manifest, sink, AbortSignal.any([signal, giveUp.signal]));
  } finally {
    timer?.cancel();
    watch.stop();
  }
}

/** Looks every {@link UPLOAD_RATE_MS} at what came since; only a time in which somebody waited from its beginning to its end counts. */
function watchRate(
  { slot, received, clock }: Required<Pick<StreamTarget, "slot" | "received" | "clock">>,
  onSlow: () => void,
): { readonly stop: () => void } {
  let timer: Timer;
  const look = (before: { readonly bytes: number; readonly isWanted: boolean }): void => {
    timer = clock.after(UPLOAD_RATE_MS, () => {
      const now = { bytes: received.byteLength, isWanted: slot.isWanted };
      // [W-205]
      const isSlow = now.bytes - before.bytes < (LEAST_UPLOAD_RATE * UPLOAD_RATE_MS) / 1000;
      if (isSlow && before.isWanted && now.isWanted) onSlow();
      else look(now);
    });
  };
  look({ bytes: received.byteLength, isWanted: slot.isWanted });
  return { stop: () => timer.cancel() };
}
