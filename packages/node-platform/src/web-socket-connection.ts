import { type Bytes, toBytes } from "@photinus/core/bytes";
import type { Connection, ConnectionEnd, ConnectionFollower, FrameSource } from "@photinus/core/platform";
import { WebSocket } from "ws";
import { FrameQueue } from "./frame-queue.ts";
import { countPassed } from "./garbage-collection.ts";
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
  /** True: this side opened the socket, so each frame that it sends is copied and masked. Default false. */
  readonly isClient?: boolean;
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

/**
 * A connection over an open WebSocket of `ws`. Frames reach the reader as plain `Uint8Array`, never as `Buffer`.
 * A text message breaks the protocol and ends the connection with 4000.
 *
 * @param socket open; its handlers belong to the connection from here on
 */
export function webSocketConnection(socket: WebSocket, options: WebSocketConnectionOptions = {}): Connection {
  return new WebSocketConnection(socket, options);
}

/** A class, and no closures for what its methods can do: a server holds thousands of these for hours. */
class WebSocketConnection implements Connection {
  readonly remoteAddress: string | undefined;
  readonly frames: FrameQueue;
  readonly #socket: WebSocket;
  readonly #isClient: boolean;
  #follower: ConnectionFollower | undefined;
  #end: ConnectionEnd | undefined;
  /** Who waits for the end by a promise. */
  #ending: ((end: ConnectionEnd) => void)[] | undefined;
  /** Who waits for the buffer to empty. */
  #draining: (() => void)[] | undefined;

  constructor(
    socket: WebSocket,
    {
      remoteAddress,
      receiveBufferBytes = RECEIVE_BUFFER_BYTES,
      isClient = false,
    }: WebSocketConnectionOptions,
  ) {
    this.#socket = socket;
    this.#isClient = isClient;
    this.remoteAddress = remoteAddress;
    this.frames = new FrameQueue(socket, receiveBufferBytes);
    socket.on("close", (closeCode, reason) => this.#finish({ closeCode, reason: reason.toString("utf8") }));
    socket.on("message", (data, isBinary) => this.#take(data, isBinary));
    socket.on("error", ignore);
  }

  /** ws hands its buffers over. */
  get ownsFrames(): true {
    return true;
  }

  get release(): typeof releaseMemory {
    return releaseMemory;
  }

  get ended(): Promise<ConnectionEnd> {
    if (this.#end !== undefined) return Promise.resolve(this.#end);
    return new Promise((resolve) => {
      this.#ending ??= [];
      this.#ending.push(resolve);
    });
  }

  follow(follower: ConnectionFollower): FrameSource {
    this.#follower = follower;
    return this.frames.follow(follower);
  }

  get bufferedBytes(): number {
    return this.#end !== undefined ? 0 : this.#socket.bufferedAmount;
  }

  send(frame: Bytes, onSent?: () => void): void {
    if (!this.#isOpen) return;
    if (this.#isClient) countPassed(frame.byteLength);
    this.#socket.send(frame, SEND_OPTIONS, () => {
      onSent?.();
      if (this.bufferedBytes < LOW_WATER_BYTES) this.#drained();
    });
  }

  async drained(): Promise<void> {
    while (this.#isOpen && this.bufferedBytes >= LOW_WATER_BYTES) {
      await new Promise<void>((resolve) => {
        this.#draining ??= [];
        this.#draining.push(resolve);
      });
    }
  }

  close(closeCode: number, reason: string): void {
    if (this.#end !== undefined) return;
    // A paused socket would never see the peer's close frame: nobody reads what still arrives.
    this.frames.discard();
    this.#socket.resume();
    this.#socket.close(closeCode, fitReason(reason));
  }

  get #isOpen(): boolean {
    return this.#end === undefined && this.#socket.readyState === WebSocket.OPEN;
  }

  #take(data: WebSocket.RawData, isBinary: boolean): void {
    if (!isBinary) {
      this.close(4000, "text messages are not part of photinus.v1");
      return;
    }
    const frame = frameOf(data);
    countPassed(frame.byteLength);
    this.frames.push(frame);
  }

  #finish(end: ConnectionEnd): void {
    this.#end = end;
    const ending = this.#ending;
    this.#ending = undefined;
    this.frames.end();
    this.#drained();
    for (const resolve of ending ?? []) resolve(end);
    this.#follower?.connectionEnded(end);
  }

  #drained(): void {
    const waiting = this.#draining;
    this.#draining = undefined;
    for (const resolve of waiting ?? []) resolve();
  }
}

const SEND_OPTIONS = { binary: true, compress: false } as const;

/** ws closes after each error, oversized frames included; "close" tells the end. */
function ignore(): void {
  // Nothing is left to do.
}
