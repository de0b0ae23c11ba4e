import { toBytes } from "@photinus/core/bytes";
import { type Clock, type Connection, type ConnectionEnd, FrameQueue, sleep } from "@photinus/core/platform";

/** `drained()` waits until fewer bytes than this are buffered for sending: 1 MiB. */
export const LOW_WATER_BYTES = 1_048_576;
/**
 * Memory of frames received and not read at which the connection is given up: their bytes, and 256 more for each. A
 * browser cannot pause a socket; credit keeps a peer that follows the protocol far below this: 96 MiB.
 */
export const RECEIVE_LIMIT_BYTES: number = 96 * 1_048_576;

/** The browser reports no event when its buffer empties, so it is looked at this often. */
const DRAIN_POLL_MS = 4;
/** Longest reason of a close frame in bytes (RFC 6455, section 5.5: 125 less the code). */
const MAX_REASON_BYTES = 123;

/** A connection over an open WebSocket whose `binaryType` is "arraybuffer". A text message ends it with 4000. */
export function webSocketConnection(socket: WebSocket, { clock }: { readonly clock: Clock }): Connection {
  const queue = new FrameQueue();
  const over = new AbortController();
  const isOpen = (): boolean => socket.readyState === WebSocket.OPEN;
  const close = (closeCode: number, reason: string): void => {
    if (socket.readyState === WebSocket.CLOSED) return;
    queue.discard();
    socket.close(closeCode, fitReason(reason));
  };
  socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (!(data instanceof ArrayBuffer)) close(4000, "text messages are not part of photinus.v1");
    else if (queue.memoryBytes + data.byteLength > RECEIVE_LIMIT_BYTES)
      close(4005, "more frames than are read");
    else queue.push(toBytes(data));
  });
  const ended = new Promise<ConnectionEnd>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => {
      queue.end();
      over.abort();
      resolve({ closeCode: code, reason });
    });
  });
  return {
    remoteAddress: new URL(socket.url).host,
    get bufferedBytes() {
      return isOpen() ? socket.bufferedAmount : 0;
    },
    frames: queue,
    ended,
    send(frame) {
      if (isOpen()) socket.send(frame);
    },
    async drained() {
      while (isOpen() && socket.bufferedAmount >= LOW_WATER_BYTES) {
        await sleep(clock, DRAIN_POLL_MS, over.signal).catch(() => undefined);
      }
    },
    close,
  };
}

function fitReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.byteLength <= MAX_REASON_BYTES) return reason;
  // A cut inside a character leaves U+FFFD behind, which is dropped.
  return new TextDecoder().decode(bytes.subarray(0, MAX_REASON_BYTES)).replace(/\uFFFD+$/, "");
}
