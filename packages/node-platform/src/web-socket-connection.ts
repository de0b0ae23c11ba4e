import { type Bytes, toBytes } from "@photinus/core/bytes";
import type { Connection, ConnectionEnd } from "@photinus/core/platform";
import { WebSocket } from "ws";
import { FrameQueue } from "./frame-queue.ts";
import { countReceived } from "./garbage-collection.ts";
import { releaseMemory } from "./release-memory.ts";

/** Subprotocol of Photinus; an upgrade without it is refused. */
export const SUBPROTOCOL = "photinus.v1";
/** Largest frame that a socket takes: 1 MiB of payload and 1 KiB of prefix, header and tag. */
export const MAX_FRAME_BYTES: number = 1_048_576 + 1_024;
/** `drained()` waits until fewer bytes than this are buffered for sending: 1 MiB. */
export const LOW_WATER_BYTES = 1_048_576;
/** A reader that lags this many bytes behind pauses its peer: 4 MiB. */
export const RECEIVE_BUFFER_BYTES: number = 4 * 1_048_576;

/** Options of {@link webSocketConnection}. */
export interface WebSocketConnectionOptions {
  /** Address of the peer, as the host found it (socket or trusted proxy). */
  readonly remoteAddress?: string | undefined;
  /** Bytes received and not read yet at which the peer is paused. Default {@link RECEIVE_BUFFER_BYTES}. */
  readonly receiveBufferBytes?: number;
}

/** Longest reason of a close frame in bytes (RFC 6455, section 5.5: 125 less the code). */
const MAX_REASON_BYTES = 123;

function fitReason(reason: string): string {
  const bytes = Buffer.from(reason, "utf8");
  if (bytes.byteLength <= MAX_REASON_BYTES) return reason;
  // A cut inside a character leaves U+FFFD behind, which is dropped.
  return bytes.subarray(0, MAX_REASON_BYTES).toString("utf8").replace(/�+$/, "");
}

/** ws delivers Buffers in "nodebuffer" mode; a message of several fragments arrives whole. */
function frameOf(data: WebSocket.RawData): Bytes {
  if (Array.isArray(data)) return toBytes(Buffer.concat(data));
  return toBytes(data);
}

/** Waiters for a buffer that empties. */
class Drain {
  #waiting: (() => void)[] = [];

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/**
 * A connection over an open WebSocket of `ws`. Frames reach the reader as plain `Uint8Array`, never as `Buffer`.
 * A text message breaks the protocol and ends the connection with 4000.
 *
 * @param socket open; its handlers belong to the connection from here on
 */
export function webSocketConnection(socket: WebSocket, options: WebSocketConnectionOptions = {}): Connection {
  const drain = new Drain();
  let hasEnded = false;
  const queue = new FrameQueue({
    highWaterBytes: options.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES,
    onFull: () => socket.pause(),
    onRoom: () => socket.resume(),
  });
  const close = (closeCode: number, reason: string): void => {
    if (hasEnded) return;
    // A paused socket would never see the peer's close frame: nobody reads what still arrives.
    queue.discard();
    socket.resume();
    socket.close(closeCode, fitReason(reason));
  };
  const ended = new Promise<ConnectionEnd>((resolve) => {
    socket.on("close", (closeCode, reason) => {
      hasEnded = true;
      queue.end();
      drain.release();
      resolve({ closeCode, reason: reason.toString("utf8") });
    });
  });
  socket.on("message", (data, isBinary) => {
    if (!isBinary) {
      close(4000, "text messages are not part of photinus.v1");
      return;
    }
    const frame = frameOf(data);
    countReceived(frame.byteLength);
    queue.push(frame);
  });
  // ws closes after each error, oversized frames included; "close" tells the end.
  socket.on("error", () => undefined);
  const bufferedBytes = (): number => (hasEnded ? 0 : socket.bufferedAmount);
  return {
    remoteAddress: options.remoteAddress,
    get bufferedBytes() {
      return bufferedBytes();
    },
    frames: queue,
    ownsFrames: true, // ws hands its buffers over
    release: releaseMemory,
    ended,
    send(frame, onSent) {
      if (hasEnded || socket.readyState !== WebSocket.OPEN) return;
      socket.send(frame, { binary: true, compress: false }, () => {
        onSent?.();
        if (bufferedBytes() < LOW_WATER_BYTES) drain.release();
      });
    },
    async drained() {
      while (!hasEnded && socket.readyState === WebSocket.OPEN && bufferedBytes() >= LOW_WATER_BYTES) {
        await drain.wait();
      }
    },
    close,
  };
}
