import type { Bytes } from "../bytes/index.ts";
import { utf8 } from "../bytes/index.ts";
import { type Clock, type Connection, type ConnectionEnd, FrameQueue } from "../platform/index.ts";

/** {@link Connection.drained} resolves below this many unread bytes. */
export const LOW_WATER_MARK_BYTES = 1_048_576;

/**
 * What the way does to one frame: the same frame passes it, another one is an alteration, a list is a replay or an
 * insertion, `undefined` or an empty list is a loss.
 * @param index 0 for the first frame in this direction
 */
export type Interference = (frame: Bytes, index: number) => Bytes | readonly Bytes[] | undefined;

/** Options of {@link memoryConnectionPair}. */
export interface MemoryConnectionOptions {
  /** Address that the server sees. Default "198.51.100.1" (RFC 5737). */
  readonly clientAddress?: string;
  /** Address that the client sees. Default "203.0.113.1" (RFC 5737). */
  readonly serverAddress?: string;
  /** On the way from the client to the server. */
  readonly toServer?: Interference;
  /** On the way from the server to the client. */
  readonly toClient?: Interference;
  /** Each frame takes this long; needs `clock`. Default 0: frames arrive in the next microtask. */
  readonly latencyMs?: number;
  /**
   * What the line carries each way; needs `clock`. Frames leave one after another, and only what has not left counts as
   * buffered. Default: no limit.
   */
  readonly bytesPerSecond?: number;
  /** Keep every sent frame in `sentByClient` and `sentByServer`. Default false: long runs would keep all their bytes. */
  readonly record?: boolean;
  /** The clock of `latencyMs` and `bytesPerSecond`. */
  readonly clock?: Clock;
}

/** Two ends of one connection in memory. */
export interface MemoryConnectionPair {
  /** The side that opened. */
  readonly client: Connection;
  /** The side that accepted. */
  readonly server: Connection;
  /** Frames as the client sent them, before any interference; empty unless `record` is set. */
  readonly sentByClient: readonly Bytes[];
  /** Frames as the server sent them, before any interference; empty unless `record` is set. */
  readonly sentByServer: readonly Bytes[];
  /** Hands a frame to the server that the client never sent. */
  injectToServer(frame: Bytes): void;
  /** Hands a frame to the client that the server never sent. */
  injectToClient(frame: Bytes): void;
  /** Ends both sides at once with 1006, as a lost network does, or another code. Frames under way are lost. */
  cut(closeCode?: number): void;
}

/**
 * Two {@link Connection}s joined in memory. Nothing is copied. Frames keep their order and arrive in microtasks, or
 * after `latencyMs`. What the peer has not read counts as buffered, as with a socket whose peer does not read.
 */
export function memoryConnectionPair(options: MemoryConnectionOptions = {}): MemoryConnectionPair {
  const { latencyMs = 0, bytesPerSecond, clock } = options;
  if ((latencyMs > 0 || bytesPerSecond !== undefined) && clock === undefined) {
    throw new TypeError("latencyMs and bytesPerSecond need a clock");
  }
  const defer = (deliver: () => void): void => {
    if (clock !== undefined && latencyMs > 0) clock.after(latencyMs, deliver);
    else queueMicrotask(deliver);
  };

  const { record = false, clientAddress = "198.51.100.1", serverAddress = "203.0.113.1" } = options;
  const aWay = (interference: Interference | undefined): Way => {
    const line = clock && bytesPerSecond !== undefined ? new Line(bytesPerSecond, clock) : undefined;
    return { defer, record, interference, line };
  };
  const client = new MemoryConnection(serverAddress, aWay(options.toServer));
  const server = new MemoryConnection(clientAddress, aWay(options.toClient));
  client.join(server);
  server.join(client);
  return {
    client,
    server,
    sentByClient: client.sent,
    sentByServer: server.sent,
    injectToServer: (frame) => server.receive(frame),
    injectToClient: (frame) => client.receive(frame),
    cut(closeCode = 1006) {
      const end: ConnectionEnd = { closeCode, reason: "" };
      client.finish(end);
      server.finish(end);
    },
  };
}

/** How frames of one end travel. */
interface Way {
  readonly defer: (deliver: () => void) => void;
  readonly record: boolean;
  readonly interference: Interference | undefined;
  readonly line: Line | undefined;
}

/** A line that carries so much and no more: what it cannot carry yet waits. */
class Line {
  readonly #bytesPerMs: number;
  readonly #clock: Clock;
  #freeAtMs = 0;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#clock = clock;
  }

  /** @param onLeft called when the last byte is on the line */
  carry(bytes: number, onLeft: () => void): void {
    const nowMs = this.#clock.now();
    this.#freeAtMs = Math.max(nowMs, this.#freeAtMs) + bytes / this.#bytesPerMs;
    this.#clock.after(Math.ceil(this.#freeAtMs - nowMs), onLeft); // clocks tell milliseconds
  }
}

class MemoryConnection implements Connection {
  readonly remoteAddress: string;
  readonly frames: FrameQueue;
  readonly ended: Promise<ConnectionEnd>;
  readonly sent: Bytes[] = [];
  readonly #way: Way;
  #peer: MemoryConnection | undefined;
  #sentFrames = 0;
  #bufferedBytes = 0;
  #closing = false;
  #finished = false;
  #settleEnded: (end: ConnectionEnd) => void = () => undefined;
  #waiting: (() => void)[] = [];

  constructor(remoteAddress: string, way: Way) {
    this.remoteAddress = remoteAddress;
    this.#way = way;
    this.frames = new FrameQueue((bytes) => {
      if (way.line === undefined) this.#peer?.hasLeft(bytes);
    });
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  join(peer: MemoryConnection): void {
    this.#peer = peer;
  }

  send(frame: Bytes): void {
    if (this.#closing || this.#finished) return;
    const { interference, record, defer, line } = this.#way;
    if (record) this.sent.push(frame);
    const index = this.#sentFrames++;
    const outcome = interference === undefined ? frame : interference(frame, index);
    const arriving = outcome === undefined ? [] : outcome instanceof Uint8Array ? [outcome] : outcome;
    for (const each of arriving) {
      this.#bufferedBytes += each.byteLength;
      const arrive = (): void => this.#peer?.receive(each);
      if (line === undefined) defer(arrive);
      else {
        line.carry(each.byteLength, () => {
          this.hasLeft(each.byteLength);
          defer(arrive);
        });
      }
    }
  }

  receive(frame: Bytes): void {
    if (!this.#closing) this.frames.push(frame);
    else if (this.#way.line === undefined) this.#peer?.hasLeft(frame.byteLength);
  }

  drained(): Promise<void> {
    if (this.#finished || this.#bufferedBytes < LOW_WATER_MARK_BYTES) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  close(closeCode: number, reason: string): void {
    requireCloseCode(closeCode, reason);
    if (this.#closing || this.#finished) return;
    this.#closing = true;
    const { defer, line } = this.#way;
    const finish = (): void => {
      const end: ConnectionEnd = { closeCode, reason };
      this.#peer?.finish(end);
      this.finish(end);
    };
    if (line === undefined) defer(finish);
    else line.carry(0, () => defer(finish)); // behind what was sent before
  }

  /** The peer took bytes of ours, or they are on the line, or lost. */
  hasLeft(bytes: number): void {
    this.#bufferedBytes = Math.max(0, this.#bufferedBytes - bytes);
    if (this.#bufferedBytes < LOW_WATER_MARK_BYTES) this.#release();
  }

  finish(end: ConnectionEnd): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#bufferedBytes = 0;
    this.frames.end();
    this.#release();
    this.#settleEnded(end);
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function requireCloseCode(closeCode: number, reason: string): void {
  if (closeCode !== 1000 && !(closeCode >= 4000 && closeCode <= 4999)) {
    throw new RangeError(`a close code is 1000 or 4000 to 4999, got ${closeCode}`);
  }
  if (utf8(reason).byteLength > 123) throw new RangeError("a close reason has at most 123 bytes");
}
