import type { Bytes } from "@photinus/core/bytes";
import type { ConnectionFollower, FrameSource } from "@photinus/core/platform";

/** The socket that fills a queue. */
export interface PausableSocket {
  /** Called when the queue holds as much as it should. */
  pause(): void;
  /** Called when the reader has taken half of that. */
  resume(): void;
}

/** What the objects of a waiting frame take beside its bytes: a peer could otherwise send empty ones without end. */
const FRAME_OVERHEAD_BYTES = 256;

const END: IteratorResult<Bytes> = { done: true, value: undefined };

/** Frames between a socket's events and their one reader, in order. It is its reader's iterator itself. */
export class FrameQueue implements AsyncIterable<Bytes>, AsyncIterator<Bytes>, FrameSource {
  readonly #socket: PausableSocket;
  readonly #highWaterBytes: number;
  #frames: Bytes[] | undefined;
  /** Frames before this index were taken; a shift per frame would copy the array. */
  #taken = 0;
  /** Memory that the waiting frames take. */
  #bytes = 0;
  #isFull = false;
  #hasEnded = false;
  #hasReader = false;
  /** A reader that is told instead of answered. */
  #follower: ConnectionFollower | undefined;
  /** Answers the reader that waits for a frame. */
  #answer: ((result: IteratorResult<Bytes>) => void) | undefined;

  /** @param highWaterBytes at which the socket is paused until the reader has taken half of them */
  constructor(socket: PausableSocket, highWaterBytes: number) {
    this.#socket = socket;
    this.#highWaterBytes = highWaterBytes;
  }

  /** Adds a frame; a no-op after {@link end}. */
  push(frame: Bytes): void {
    if (this.#hasEnded) return;
    if (this.#answer !== undefined) {
      this.#settle({ done: false, value: frame });
      return;
    }
    this.#frames ??= [];
    this.#frames.push(frame);
    this.#bytes += frame.byteLength + FRAME_OVERHEAD_BYTES;
    if (!this.#isFull && this.#bytes >= this.#highWaterBytes) {
      this.#isFull = true;
      this.#socket.pause();
    }
    this.#follower?.framesCame();
  }

  /** The reader gets what is queued, then the end. */
  end(): void {
    this.#hasEnded = true;
    this.#settle(END);
    this.#follower?.framesCame();
  }

  /** Drops what is queued and takes no more. */
  discard(): void {
    this.#frames = undefined;
    this.#taken = 0;
    this.#bytes = 0;
    this.end();
  }

  /** @throws TypeError when it is read a second time */
  [Symbol.asyncIterator](): AsyncIterator<Bytes> {
    if (this.#hasReader) throw new TypeError("the frames of a connection can be read once only");
    this.#hasReader = true;
    return this;
  }

  /** The reader is told from here on. @throws TypeError when there is one */
  follow(follower: ConnectionFollower): this {
    this[Symbol.asyncIterator]();
    this.#follower = follower;
    return this;
  }

  /** True when there is no frame and none will come. */
  get isOver(): boolean {
    return this.#hasEnded && this.#frames === undefined;
  }

  /** The next frame, or the end. @throws TypeError when an earlier call still waits */
  next(): Promise<IteratorResult<Bytes>> {
    const frame = this.take();
    if (frame !== undefined) return Promise.resolve({ done: false, value: frame });
    if (this.#hasEnded) return Promise.resolve(END);
    if (this.#answer !== undefined) return Promise.reject(new TypeError("a frame is already waited for"));
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  /** The reader wants no more. */
  return(): Promise<IteratorResult<Bytes>> {
    this.discard();
    this.#makeRoom();
    return Promise.resolve(END);
  }

  #settle(result: IteratorResult<Bytes>): void {
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.(result);
  }

  /** The next frame; `undefined` while there is none. */
  take(): Bytes | undefined {
    const frame = this.#frames?.[this.#taken];
    if (frame === undefined) return undefined;
    this.#taken += 1;
    if (this.#taken === this.#frames?.length) {
      this.#frames = undefined;
      this.#taken = 0;
    }
    this.#bytes -= frame.byteLength + FRAME_OVERHEAD_BYTES;
    if (this.#bytes < this.#highWaterBytes / 2) this.#makeRoom();
    return frame;
  }

  #makeRoom(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#socket.resume();
  }
}
