import type { Bytes } from "../bytes/index.ts";
import { WireError } from "../errors/index.ts";
import type { Clock, Connection, ConnectionEnd, ConnectionFollower, FrameSource } from "../platform/index.ts";

/** A connection that counts what passes it, and whose one reader goes from the handshake to the session. */
export class FrameChannel implements ConnectionFollower {
  readonly #connection: Connection;
  readonly #frames: FrameSource;
  /** Who is told what comes. */
  #follower: ConnectionFollower | undefined;
  /** Wakes {@link next}. */
  #wake: (() => void) | undefined;
  #end: ConnectionEnd | undefined;
  #sentBytes = 0;
  #receivedBytes = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#frames = connection.follow?.(this) ?? new PulledFrames(connection, this);
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

  /** Address of the peer, for limits and logs; never an identity. */
  get remoteAddress(): string {
    return this.#connection.remoteAddress ?? "unknown";
  }

  /** Bytes that have not left yet. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  /** Settles when the connection has ended. */
  get ended(): Promise<ConnectionEnd> {
    return this.#connection.ended;
  }

  /** How the connection has ended, once every frame was taken. */
  get end(): ConnectionEnd | undefined {
    return this.#frames.isOver ? this.#end : undefined;
  }

  /** Resolves when little is buffered. */
  drained(): Promise<void> {
    return this.#connection.drained();
  }

  /** Tells who takes the frames from here on when there are some. */
  follow(follower: ConnectionFollower): void {
    this.#follower = follower;
    if (this.#end !== undefined) follower.connectionEnded(this.#end);
  }

  framesCame(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
    this.#follower?.framesCame();
  }

  connectionEnded(end: ConnectionEnd): void {
    this.#end = end;
    this.#follower?.connectionEnded(end);
    this.framesCame();
  }

  /** The next frame; `undefined` while there is none. */
  take(): Bytes | undefined {
    const frame = this.#frames.take();
    this.#receivedBytes += frame?.byteLength ?? 0;
    return frame;
  }

  /** The next frame, for a reader that waits for it; `undefined` when the connection has ended. */
  async next(): Promise<Bytes | undefined> {
    for (;;) {
      const frame = this.take();
      if (frame !== undefined || this.#frames.isOver) return frame;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
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

/** The frames of a transport that hands them out by promises; one is asked for when it is wanted, and none ahead. */
class PulledFrames implements FrameSource {
  readonly #frames: AsyncIterator<Bytes>;
  readonly #follower: ConnectionFollower;
  #frame: Bytes | undefined;
  #state: "idle" | "pulling" | "over" = "idle";

  constructor(connection: Connection, follower: ConnectionFollower) {
    this.#frames = connection.frames[Symbol.asyncIterator]();
    this.#follower = follower;
    void connection.ended.then((end) => follower.connectionEnded(end));
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  take(): Bytes | undefined {
    const frame = this.#frame;
    this.#frame = undefined;
    if (frame === undefined && this.#state === "idle") void this.#pull();
    return frame;
  }

  async #pull(): Promise<void> {
    this.#state = "pulling";
    const { done, value } = await this.#frames.next();
    this.#state = done === true ? "over" : "idle";
    this.#frame = done === true ? undefined : value;
    this.#follower.framesCame();
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
