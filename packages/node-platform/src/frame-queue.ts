import type { Bytes } from "@photinus/core/bytes";

/** What a queue tells the socket that fills it. */
export interface FrameQueueOptions {
  /** The queue holds this many bytes or more: `onFull` is called. */
  readonly highWaterBytes: number;
  /** Stop the socket. */
  readonly onFull: () => void;
  /** The reader has taken the queue below half of `highWaterBytes`: start the socket again. */
  readonly onRoom: () => void;
}

/** Frames between a socket's events and their one reader, in order. */
export class FrameQueue implements AsyncIterable<Bytes> {
  readonly #options: FrameQueueOptions;
  #frames: Bytes[] = [];
  /** Frames before this index were taken; a shift per frame would copy the array. */
  #taken = 0;
  #bytes = 0;
  #isFull = false;
  #hasEnded = false;
  #hasReader = false;
  #wake: (() => void) | undefined;

  constructor(options: FrameQueueOptions) {
    this.#options = options;
  }

  /** Adds a frame; a no-op after {@link end}. */
  push(frame: Bytes): void {
    if (this.#hasEnded) return;
    this.#frames.push(frame);
    this.#bytes += frame.byteLength;
    if (!this.#isFull && this.#bytes >= this.#options.highWaterBytes) {
      this.#isFull = true;
      this.#options.onFull();
    }
    this.#wake?.();
  }

  /** The reader gets what is queued, then the end. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  /** Drops what is queued and takes no more. */
  discard(): void {
    this.#frames = [];
    this.#taken = 0;
    this.#bytes = 0;
    this.end();
  }

  /** @throws TypeError when it is read a second time */
  [Symbol.asyncIterator](): AsyncIterator<Bytes> {
    if (this.#hasReader) throw new TypeError("the frames of a connection can be read once only");
    this.#hasReader = true;
    return {
      next: () => this.#next(),
      return: async () => {
        this.discard();
        this.#makeRoom();
        return { done: true, value: undefined };
      },
    };
  }

  async #next(): Promise<IteratorResult<Bytes>> {
    for (;;) {
      const frame = this.#take();
      if (frame !== undefined) return { done: false, value: frame };
      if (this.#hasEnded) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  #take(): Bytes | undefined {
    const frame = this.#frames[this.#taken];
    if (frame === undefined) return undefined;
    this.#taken += 1;
    if (this.#taken === this.#frames.length) {
      this.#frames = [];
      this.#taken = 0;
    }
    this.#bytes -= frame.byteLength;
    if (this.#bytes < this.#options.highWaterBytes / 2) this.#makeRoom();
    return frame;
  }

  #makeRoom(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#options.onRoom();
  }
}
