import { type Bytes, concatBytes } from "../bytes/index.ts";
import { WireError } from "../errors/index.ts";
import type { Awaitable } from "../platform/index.ts";
import { KeyChange } from "./key-change.ts";
import type { SessionParts } from "./session-parts.ts";
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
type OutboxParts = Pick<SessionParts, "established" | "modules"> & {
  /** Nothing more can leave. */
  readonly fail: (error: unknown) => void;
};

/**
 * Everything that a session sends, one frame after another: control frames in the order in which they were posted and
 * before all bulk, bulk in turns and only while the connection takes it.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #keys: KeyChange;
  /** Made with the first bulk. */
  #turn: Turn | undefined;
  #control: Control[] | undefined;
  #bulk: Bulk[] | undefined;
  #state: "new" | "idle" | "sending" = "new";
  #isDraining = false;
  #stopped: { readonly reason: unknown } | undefined;
  #lastSentMs: number;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    const { sender, limits } = parts.established;
    const nowMs = parts.modules.clock.now();
    this.#keys = new KeyChange(sender, limits.record.ageMs, nowMs);
    this.#lastSentMs = nowMs;
  }

  /** Begins to send, what was posted before first; called once. */
  start(): void {
    this.#state = "idle";
    this.nudge();
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
      this.#control ??= [];
      this.#control.push({ build, resolve, reject });
      this.nudge();
    });
  }

  /** {@link post} of a frame that goes before all others. */
  postFirst(build: () => Awaitable<Bytes>): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped.reason);
    return new Promise((resolve, reject) => {
      this.#control ??= [];
      this.#control.unshift({ build, resolve, reject });
      this.nudge();
    });
  }

  /** True when nothing waits to leave. */
  get isIdle(): boolean {
    return this.#control === undefined && this.#bulk === undefined;
  }

  /** Begins to send something long. */
  add(bulk: Bulk): void {
    if (this.#stopped !== undefined) {
      bulk.stop(this.#stopped.reason);
      return;
    }
    this.#bulk ??= [];
    this.#bulk.push(bulk);
    this.nudge();
  }

  /** Sends nothing more of it. */
  remove(bulk: Bulk): void {
    const index = this.#bulk?.indexOf(bulk) ?? -1;
    if (index >= 0) this.#bulk?.splice(index, 1);
    if (this.#bulk?.length === 0) this.#bulk = undefined;
  }

  /** Something may have become ready. */
  nudge(): void {
    if (this.#state !== "idle") return;
    this.#state = "sending";
    this.#run().catch((error: unknown) => {
      this.stop(error); // nothing more can leave, so nobody must wait for it
      this.#parts.fail(error);
    });
  }

  /** Sends nothing more; everything that waits fails with `reason`. */
  stop(reason: unknown): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = { reason };
    const [control, bulk] = [this.#control, this.#bulk];
    this.#control = undefined;
    this.#bulk = undefined;
    for (const { reject } of control ?? []) reject(reason);
    for (const waiting of bulk ?? []) waiting.stop(reason);
  }

  /**
   * Sends until nothing is ready or it is stopped: no call waits in the outbox of a session that has nothing to say.
   * @throws WireError `ERR_RATE_LIMITED` when the peer does not read
   */
  async #run(): Promise<void> {
    await undefined; // whoever posts goes on before its frame is built
    while (this.#stopped === undefined) {
      const control = this.#nextControl();
      if (control !== undefined) {
        await this.#sendControl(control);
        continue;
      }
      const bulk = this.#hasRoom() ? this.#nextBulk() : undefined;
      if (bulk === undefined) break;
      await this.#sendBulk(bulk);
      // A socket that takes everything would otherwise keep even this session's own answers from being read.
      if (this.#turn?.isOver) await this.#turn.next();
    }
    this.#state = "idle";
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
    this.#turn ??= new Turn(this.#parts.modules.clock);
    this.#turn.spend((lengthOf(piece.parts) / 1024) * SENT_KIB_US);
    await this.#send(piece, bulk.encrypted);
    if (!bulk.finished) return;
    this.remove(bulk);
    bulk.complete();
  }

  async #send({ parts, onSent }: Piece, encrypted: boolean): Promise<void> {
    const { established, modules } = this.#parts;
    const { channel, sender } = established;
    // [W-60]
    if (channel.bufferedBytes > UNREAD_BYTES) {
      throw new WireError("ERR_RATE_LIMITED", "the peer does not read what it is sent");
    }
    if (encrypted) {
      const nowMs = modules.clock.now();
      if (this.#keys.isDue(lengthOf(parts), nowMs)) channel.send(await this.#keys.rekey(nowMs));
      const frame = await sender.seal(...parts);
      onSent?.();
      channel.send(frame, () => channel.release(frame));
    } else {
      channel.send(wholeOf(parts), onSent);
    }
    this.#lastSentMs = modules.clock.now();
  }

  #nextControl(): Control | undefined {
    const control = this.#control?.shift();
    if (this.#control?.length === 0) this.#control = undefined; // an array that was emptied keeps its memory
    return control;
  }

  /** The first that is ready; it goes to the end of the row. */
  #nextBulk(): Bulk | undefined {
    const row = this.#bulk ?? [];
    const index = row.findIndex((bulk) => bulk.ready);
    if (index < 0) return undefined;
    const [bulk] = row.splice(index, 1);
    if (bulk !== undefined) row.push(bulk);
    return bulk;
  }

  #hasRoom(): boolean {
    const { channel } = this.#parts.established;
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
