import type { Bytes } from "../bytes/index.ts";
import { WireError } from "../errors/index.ts";
import type { Clock, Connection, ConnectionEnd } from "../platform/index.ts";

/** A connection that counts what passes it, and whose one reader goes from the handshake to the session. */
export class FrameChannel {
  readonly #connection: Connection;
  readonly #frames: AsyncIterator<Bytes>;
  #sentBytes = 0;
  #receivedBytes = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#frames = connection.frames[Symbol.asyncIterator]();
  }

  /** Bytes of frames in both directions. */
  get traffic(): { readonly sentBytes: number; readonly receivedBytes: number } {
    return { sentBytes: this.#sentBytes, receivedBytes: this.#receivedBytes };
  }

  /** True: a frame that was read may be decrypted where it lies. */
  get ownsFrames(): boolean {
    return this.#connection.ownsFrames === true;
  }

  /** Whoever read a frame does not need it any more. */
  release(frame: Bytes): void {
    this.#connection.release?.(frame);
  }

  /** Bytes that have not left yet. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  /** Settles when the connection has ended. */
  get ended(): Promise<ConnectionEnd> {
    return this.#connection.ended;
  }

  /** Resolves when little is buffered. */
  drained(): Promise<void> {
    return this.#connection.drained();
  }

  /** The next frame; `undefined` when the connection has ended. */
  async next(): Promise<Bytes | undefined> {
    const { done, value } = await this.#frames.next();
    if (done === true) return undefined;
    this.#receivedBytes += value.byteLength;
    return value;
  }

  /** Queues one frame; see `Connection.send`. */
  send(frame: Bytes, onSent?: () => void): void {
    this.#sentBytes += frame.byteLength;
    this.#connection.send(frame, onSent);
  }

  /** Closes the connection in order. @param reason cut to what a close frame holds */
  close(closeCode: number, reason: string): void {
    this.#connection.close(closeCode, reason.replace(/[^\x20-\x7e]/g, "?").slice(0, 123));
  }
}

/** A time by which a handshake must be through. */
export class Deadline {
  readonly #expired: Promise<never>;
  readonly #cancel: () => void;

  /** @param afterMs from now */
  constructor(clock: Clock, afterMs: number) {
    let expire: (error: WireError) => void = () => undefined;
    this.#expired = new Promise((_, reject) => {
      expire = reject;
    });
    this.#expired.catch(() => undefined); // nobody may be waiting when it expires
    // [W-9]
    const timer = clock.after(afterMs, () =>
      expire(new WireError("ERR_AUTH_FAILED", `the handshake took more than ${afterMs} ms`)),
    );
    this.#cancel = () => timer.cancel();
  }

  /** What `promise` settles to, or the end of the time. */
  race<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#expired]);
  }

  /** Time no longer matters. */
  cancel(): void {
    this.#cancel();
  }
}
