import { type Bytes, utf8 } from "../bytes/index.ts";
import { FrameQueue } from "./frame-queue.ts";
import type { Connection, ConnectionEnd } from "./transport.ts";

/** What `MessagePort` has in pages, workers and Node. */
export interface FramePort {
  /** Sends a message; the buffers in `transfer` move to the other side. */
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  /** Registers for messages, for those that could not be read, and for the end of the other side. */
  addEventListener(type: "message" | "messageerror" | "close", listener: (event: object) => void): void;
  /** Begins delivery. */
  start(): void;
  /** Ends the channel. */
  close(): void;
}

/** Options of {@link messagePortConnection}. */
export interface MessagePortConnectionOptions {
  /** Name of the peer for logs. */
  readonly remoteAddress?: string;
  /** Largest frame that is taken, in bytes. Default 1 MiB and 1 KiB, the largest of the protocol. */
  readonly maximumFrameBytes?: number;
  /**
   * Memory of frames received and not read at which the connection is given up: their bytes, and 256 more for each.
   * Default 96 MiB: a port cannot pause its peer.
   */
  readonly receiveLimitBytes?: number;
}

/** `drained()` waits until fewer bytes than this are unread by the peer: 1 MiB. */
const LOW_WATER_BYTES = 1_048_576;
/** So many bytes are read before the peer is told: one message for many frames. 256 KiB. */
const TELL_READ_BYTES = 262_144;
const MAX_FRAME_BYTES = 1_048_576 + 1024;
const RECEIVE_LIMIT_BYTES = 96 * 1_048_576;
/** Longest reason of an end, as WebSocket has it. */
const MAX_REASON_BYTES = 123;
/** Code where the peer vanished without one. */
const VANISHED = 1006;

/** What goes over the port: a frame, how many bytes were read, or the end. */
type PortMessage =
  | readonly ["frame", ArrayBuffer]
  | readonly ["read", bytes: number]
  | readonly ["close", closeCode: number, reason: string];

/**
 * A connection over one end of a `MessageChannel`: to a worker, a frame of a page, or a server in the same process. The
 * other end takes the same function. Frames are copied once and their memory moves to the peer.
 *
 * @param port not started; it belongs to the connection from here on
 */
export function messagePortConnection(
  port: FramePort,
  options: MessagePortConnectionOptions = {},
): Connection {
  const connection = new MessagePortConnection(port, options);
  connection.start();
  return connection;
}

class MessagePortConnection implements Connection {
  readonly remoteAddress: string | undefined;
  readonly ownsFrames = true; // they were moved here
  readonly frames: FrameQueue;
  readonly ended: Promise<ConnectionEnd>;
  readonly #port: FramePort;
  readonly #maximumFrameBytes: number;
  readonly #receiveLimitBytes: number;
  /** Sent, and not told by the peer to be read. */
  #unreadBytes = 0;
  /** Read here, and not told to the peer. */
  #untoldBytes = 0;
  #waiting: (() => void)[] = [];
  #hasEnded = false;
  #settle: (end: ConnectionEnd) => void = () => undefined;

  constructor(port: FramePort, options: MessagePortConnectionOptions) {
    this.#port = port;
    this.remoteAddress = options.remoteAddress;
    this.#maximumFrameBytes = options.maximumFrameBytes ?? MAX_FRAME_BYTES;
    this.#receiveLimitBytes = options.receiveLimitBytes ?? RECEIVE_LIMIT_BYTES;
    this.frames = new FrameQueue((bytes) => this.#tellRead(bytes));
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get bufferedBytes(): number {
    return this.#unreadBytes;
  }

  start(): void {
    this.#port.addEventListener("message", (event) =>
      this.#receive("data" in event ? event.data : undefined),
    );
    this.#port.addEventListener("messageerror", () => this.close(4000, "a message that cannot be read"));
    this.#port.addEventListener("close", () => this.#finish({ closeCode: VANISHED, reason: "" }));
    this.#port.start();
  }

  send(frame: Bytes, onSent?: () => void): void {
    if (this.#hasEnded) return;
    // A view would be cloned with all of the memory under it; a copy of its own can move.
    const { buffer } = frame.slice();
    this.#unreadBytes += frame.byteLength;
    this.#post(["frame", buffer], [buffer]);
    onSent?.();
  }

  drained(): Promise<void> {
    if (this.#hasEnded || this.#unreadBytes < LOW_WATER_BYTES) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  close(closeCode: number, reason: string): void {
    if (closeCode !== 1000 && !(closeCode >= 4000 && closeCode <= 4999)) {
      throw new RangeError(`a close code is 1000 or 4000 to 4999, got ${closeCode}`);
    }
    if (this.#hasEnded) return;
    const end: ConnectionEnd = { closeCode, reason: fitReason(reason) };
    this.frames.discard();
    this.#post(["close", end.closeCode, end.reason]);
    this.#finish(end);
  }

  #receive(data: unknown): void {
    if (this.#hasEnded) return;
    const message = portMessage(data);
    if (message === undefined) {
      this.close(4000, "a message that is not part of the connection");
      return;
    }
    switch (message[0]) {
      case "frame":
        this.#take(new Uint8Array(message[1]));
        break;
      case "read":
        this.#wasRead(message[1]);
        break;
      case "close":
        this.#finish({ closeCode: message[1], reason: message[2] });
        break;
    }
  }

  #take(frame: Bytes): void {
    if (frame.byteLength > this.#maximumFrameBytes) this.close(4004, "a frame that is too large");
    else if (this.frames.memoryBytes + frame.byteLength > this.#receiveLimitBytes) {
      this.close(4005, "more frames than are read");
    } else this.frames.push(frame);
  }

  #wasRead(bytes: number): void {
    this.#unreadBytes = Math.max(0, this.#unreadBytes - bytes);
    if (this.#unreadBytes < LOW_WATER_BYTES) this.#release();
  }

  #tellRead(bytes: number): void {
    this.#untoldBytes += bytes;
    if (this.#untoldBytes < TELL_READ_BYTES) return;
    this.#post(["read", this.#untoldBytes]);
    this.#untoldBytes = 0;
  }

  #post(message: PortMessage, transfer: ArrayBuffer[] = []): void {
    if (!this.#hasEnded) this.#port.postMessage(message, transfer);
  }

  #finish(end: ConnectionEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#unreadBytes = 0;
    this.frames.end();
    this.#release();
    this.#port.close(); // what was posted before is still delivered
    this.#settle(end);
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** @returns `undefined` for anything that is not exactly a {@link PortMessage} */
function portMessage(data: unknown): PortMessage | undefined {
  if (!Array.isArray(data)) return undefined;
  const [kind, first, second, ...rest] = data as readonly unknown[];
  if (rest.length > 0) return undefined;
  if (kind === "frame" && first instanceof ArrayBuffer) return [kind, first];
  if (kind === "read" && isCount(first)) return [kind, first];
  if (kind === "close" && isCount(first) && typeof second === "string" && isReason(second)) {
    return [kind, first, second];
  }
  return undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0; // the first check proves a number
}

function isReason(text: string): boolean {
  return text.length <= MAX_REASON_BYTES && utf8(text).byteLength <= MAX_REASON_BYTES;
}

function fitReason(reason: string): string {
  const bytes = utf8(reason);
  if (bytes.byteLength <= MAX_REASON_BYTES) return reason;
  // A cut inside a character leaves U+FFFD behind, which is dropped.
  return new TextDecoder().decode(bytes.subarray(0, MAX_REASON_BYTES)).replace(/�+$/, "");
}
