import type { Bytes } from "../bytes/index.ts";

/** What the objects of a waiting frame take beside its bytes: a peer could otherwise send empty ones without end. */
const FRAME_OVERHEAD_BYTES = 256;

/** Frames that arrived and were not read yet; read once, in order. */
export class FrameQueue implements AsyncIterable<Bytes> {
  readonly #onTaken: (bytes: number) => void;
  #frames: Bytes[] = [];
  #bytes = 0;
  #wake: (() => void) | undefined;
  #hasEnded = false;
  #isRead = false;

  /** @param onTaken called with the length of each frame that leaves the queue, read or dropped */
  constructor(onTaken: (bytes: number) => void = () => undefined) {
    this.#onTaken = onTaken;
  }

  /** Memory that the waiting frames take: their bytes, and 256 more for each. */
  get memoryBytes(): number {
    return this.#bytes + FRAME_OVERHEAD_BYTES * this.#frames.length;
  }

  /** Adds a frame; one that comes after the end is dropped. */
  push(frame: Bytes): void {
    if (this.#hasEnded) {
      this.#onTaken(frame.byteLength);
      return;
    }
    this.#frames.push(frame);
    this.#bytes += frame.byteLength;
    this.#wake?.();
  }

  /** No frame follows; those that wait can still be read. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  /** Drops what waits and takes no more: nobody will read it. */
  discard(): void {
    const dropped = this.#bytes;
    this.#frames = [];
    this.#bytes = 0;
    this.end();
    if (dropped > 0) this.#onTaken(dropped);
  }

  /** @throws TypeError when it is read a second time */
  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void, void> {
    if (this.#isRead) throw new TypeError("the frames of a connection are read once");
    this.#isRead = true;
    try {
      while (this.#frames.length > 0 || !this.#hasEnded) {
        const frame = this.#frames.shift();
        if (frame === undefined) {
          await this.#arrival();
        } else {
          this.#bytes -= frame.byteLength;
          this.#onTaken(frame.byteLength);
          yield frame;
        }
      }
    } finally {
      this.discard();
    }
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
