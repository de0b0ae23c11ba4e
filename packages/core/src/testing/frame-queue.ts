import type { Bytes } from "../bytes/index.ts";

/** Frames that arrived and were not read yet; read once, in order. */
export class FrameQueue implements AsyncIterable<Bytes> {
  readonly #frames: Bytes[] = [];
  readonly #onTaken: (bytes: number) => void;
  #wake: (() => void) | undefined;
  #ended = false;
  #read = false;

  /** @param onTaken called with the length of each frame that leaves the queue */
  constructor(onTaken: (bytes: number) => void) {
    this.#onTaken = onTaken;
  }

  /** Adds a frame; one that comes after the end is dropped. */
  push(frame: Bytes): void {
    if (this.#ended) {
      this.#onTaken(frame.byteLength);
      return;
    }
    this.#frames.push(frame);
    this.#wake?.();
  }

  /** No frame follows; those that wait can still be read. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** @throws TypeError when it is read a second time */
  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void, void> {
    if (this.#read) throw new TypeError("the frames of a connection are read once");
    this.#read = true;
    try {
      while (this.#frames.length > 0 || !this.#ended) {
        const frame = this.#frames.shift();
        if (frame === undefined) {
          await this.#arrival();
        } else {
          this.#onTaken(frame.byteLength);
          yield frame;
        }
      }
    } finally {
      this.#discard();
    }
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** The reader left: nothing is kept for it. */
  #discard(): void {
    this.#ended = true;
    for (const frame of this.#frames.splice(0)) this.#onTaken(frame.byteLength);
  }
}
