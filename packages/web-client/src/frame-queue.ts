import type { Bytes } from "@photinus/core/bytes";

/** Frames that arrived and were not read yet; read once, in order. */
export class FrameQueue implements AsyncIterable<Bytes> {
  #frames: Bytes[] = [];
  #bytes = 0;
  #wake: (() => void) | undefined;
  #hasEnded = false;
  #isRead = false;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a frame; one that comes after the end is dropped. */
  push(frame: Bytes): void {
    if (this.#hasEnded) return;
    this.#frames.push(frame);
    this.#bytes += frame.byteLength;
    this.#wake?.();
  }

  /** No frame follows; those that wait can still be read. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  /** Drops what waits: nobody will read it. */
  discard(): void {
    this.#frames = [];
    this.#bytes = 0;
    this.end();
  }

  /** @throws TypeError when it is read a second time */
  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void, void> {
    if (this.#isRead) throw new TypeError("the frames of a connection are read once");
    this.#isRead = true;
    try {
      while (this.#frames.length > 0 || !this.#hasEnded) {
        const frame = this.#frames.shift();
        if (frame === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        } else {
          this.#bytes -= frame.byteLength;
          yield frame;
        }
      }
    } finally {
      this.discard();
    }
  }
}
