import { type Bytes, concatBytes } from "../bytes/index.ts";
import { WireError } from "../errors/index.ts";
import type { Awaitable, Clock } from "../platform/index.ts";
import type { RecordSender } from "../wire/index.ts";
import type { FrameChannel } from "./frame-channel.ts";
import { KeyChange } from "./key-change.ts";
import { Turn } from "./turn.ts";
import { SENT_KIB_US } from "./work-price.ts";

/** Bulk waits while this many bytes have not left; control frames do not. */
const BULK_BUFFER_BYTES = 1_048_576;

/** A peer that leaves this much unread, of control frames alone, is gone or means harm. */
const UNREAD_BYTES = 64 * 1_048_576;

/** A piece of something long. */
export interface Piece {
  /** Its bytes, in order. */
  readonly parts: readonly Bytes[];
  /** Called when nobody reads them any more; see `Connection.send`. */
  readonly onSent?: () => void;
}

/** Something long that is sent piece by piece, taking turns with others. */
export interface Bulk {
  /** True when a piece may leave now. */
  readonly ready: boolean;
  /** True when the last piece was taken. */
  readonly finished: boolean;
  /** True: pieces are inner frames that are encrypted. False: they travel as they are. */
  readonly encrypted: boolean;
  /** The next piece. */
  take(): Awaitable<Piece>;
  /** The last piece has left. */
  complete(): void;
  /** No further piece will be asked for. */
  stop(reason: unknown): void;
}

interface Control {
  readonly build: () => Awaitable<Bytes>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** What an outbox works with. */
export interface OutboxModules {
  readonly channel: FrameChannel;
  readonly records: RecordSender;
  readonly clock: Clock;
  /** Age at which the key is changed, ms. */
  readonly keyAgeMs: number;
}

/**
 * Everything that a session sends, one frame after another: control frames in the order in which they were posted and
 * before all bulk, bulk in turns and only while the connection takes it.
 */
export class Outbox {
  readonly #modules: OutboxModules;
  readonly #keys: KeyChange;
  readonly #turn: Turn;
  #control: Control[] = [];
  readonly #bulk: Bulk[] = [];
  #wake: (() => void) | undefined;
  #isDraining = false;
  #stopped: { readonly reason: unknown } | undefined;
  #lastSentMs: number;

  constructor(modules: OutboxModules) {
    this.#modules = modules;
    this.#keys = new KeyChange(modules.keyAgeMs, modules);
    this.#turn = new Turn(modules.clock);
    this.#lastSentMs = modules.clock.now();
  }

  /** When the last frame was handed to the connection, ms since 1970. */
  get lastSentMs(): number {
    return this.#lastSentMs;
  }

  /**
   * Sends one inner frame before all bulk. `build` runs when its turn comes, so what it signs is signed at the time of
   * sending. @returns when it was handed to the connection. @throws what `build` throws, or why the outbox stopped
   */
  post(build: () => Awaitable<Bytes>): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped.reason);
    return new Promise((resolve, reject) => {
      this.#control.push({ build, resolve, reject });
      this.nudge();
    });
  }

  /** {@link post} of a frame that goes before all others. */
  postFirst(build: () => Awaitable<Bytes>): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped.reason);
    return new Promise((resolve, reject) => {
      this.#control.unshift({ build, resolve, reject });
      this.nudge();
    });
  }

  /** True when nothing waits to leave. */
  get isIdle(): boolean {
    return this.#control.length === 0 && this.#bulk.length === 0;
  }

  /** Begins to send something long. */
  add(bulk: Bulk): void {
    if (this.#stopped !== undefined) {
      bulk.stop(this.#stopped.reason);
      return;
    }
    this.#bulk.push(bulk);
    this.nudge();
  }

  /** Sends nothing more of it. */
  remove(bulk: Bulk): void {
    const index = this.#bulk.indexOf(bulk);
    if (index >= 0) this.#bulk.splice(index, 1);
  }

  /** Something may have become ready. */
  nudge(): void {
    this.#wake?.();
  }

  /** Sends nothing more; everything that waits fails with `reason`. */
  stop(reason: unknown): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = { reason };
    for (const control of this.#control.splice(0)) control.reject(reason);
    for (const bulk of this.#bulk.splice(0)) bulk.stop(reason);
    this.nudge();
  }

  /**
   * Sends until it is stopped.
   * @throws WireError `ERR_RATE_LIMITED` when the peer does not read
   */
  async run(): Promise<void> {
    while (this.#stopped === undefined) {
      const control = this.#control.shift();
      if (control !== undefined) {
        await this.#sendControl(control);
        continue;
      }
      const bulk = this.#hasRoom() ? this.#nextBulk() : undefined;
      if (bulk === undefined) await this.#idle();
      else await this.#sendBulk(bulk);
      // A socket that takes everything would otherwise keep even this session's own answers from being read.
      if (this.#turn.isOver) await this.#turn.next();
    }
  }

  async #sendControl({ build, resolve, reject }: Control): Promise<void> {
    let inner: Bytes;
    try {
      inner = await build();
    } catch (error) {
      reject(error); // the frame was never begun: whoever posted it hears why
      return;
    }
    try {
      await this.#send({ parts: [inner] }, true);
      resolve();
    } catch (error) {
      reject(error);
      throw error;
    }
  }

  async #sendBulk(bulk: Bulk): Promise<void> {
    let piece: Piece;
    try {
      piece = await bulk.take();
    } catch (error) {
      this.remove(bulk);
      bulk.stop(error);
      return;
    }
    if (this.#stopped !== undefined) return;
    this.#turn.spend((lengthOf(piece.parts) / 1024) * SENT_KIB_US);
    await this.#send(piece, bulk.encrypted);
    if (!bulk.finished) return;
    this.remove(bulk);
    bulk.complete();
  }

  async #send({ parts, onSent }: Piece, encrypted: boolean): Promise<void> {
    const { channel, records, clock } = this.#modules;
    // [W-60]
    if (channel.bufferedBytes > UNREAD_BYTES) {
      throw new WireError("ERR_RATE_LIMITED", "the peer does not read what it is sent");
    }
    if (encrypted) {
      if (this.#keys.isDue(lengthOf(parts))) channel.send(await this.#keys.rekey());
      const frame = await records.seal(...parts);
      onSent?.();
      channel.send(frame, () => channel.release(frame));
    } else {
      channel.send(wholeOf(parts), onSent);
    }
    this.#lastSentMs = clock.now();
  }

  /** The first that is ready; it goes to the end of the row. */
  #nextBulk(): Bulk | undefined {
    const index = this.#bulk.findIndex((bulk) => bulk.ready);
    if (index < 0) return undefined;
    const [bulk] = this.#bulk.splice(index, 1);
    if (bulk !== undefined) this.#bulk.push(bulk);
    return bulk;
  }

  #hasRoom(): boolean {
    const { channel } = this.#modules;
    if (channel.bufferedBytes < BULK_BUFFER_BYTES) return true;
    if (!this.#isDraining) {
      this.#isDraining = true;
      void channel.drained().then(() => {
        this.#isDraining = false;
        this.nudge();
      });
    }
    return false;
  }

  #idle(): Promise<void> {
    if (this.#stopped !== undefined || this.#control.length > 0) return Promise.resolve();
    this.#control = []; // an array that was emptied keeps its memory
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

function lengthOf(parts: readonly Bytes[]): number {
  let length = 0;
  for (const part of parts) length += part.byteLength;
  return length;
}

/** The one part of a piece that travels as it is; more are joined. */
function wholeOf(parts: readonly Bytes[]): Bytes {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : concatBytes(...parts);
}
