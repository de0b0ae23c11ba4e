import { EnvelopeError } from "../errors/index.ts";
import { chunkCount, chunkLength } from "./chunks.ts";
import type { StreamManifest, StreamSource } from "./contract.ts";
import type { StreamChunk } from "./frames.ts";

/** The sending end of one stream: what is next, and how much the receiver allows. */
export class OutgoingStream {
  /** What was announced. */
  readonly manifest: StreamManifest;
  readonly #source: StreamSource;
  #creditBytes = 0;
  #next = 0;
  /** Settles when the last chunk was taken, or the stream was stopped. */
  readonly done: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;

  constructor(manifest: StreamManifest, source: StreamSource) {
    this.manifest = manifest;
    this.#source = source;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined); // the sender awaits it; a late reader is no fault
  }

  /** True when the next chunk may leave. */
  get ready(): boolean {
    return !this.finished && chunkLength(this.manifest, this.#next) <= this.#creditBytes;
  }

  /** True when the last chunk has left. */
  get finished(): boolean {
    return this.#next >= chunkCount(this.manifest);
  }

  /** @throws EnvelopeError `ERR_STREAM_REFUSED` when more is granted than the stream has: the peer miscounts */
  credit(bytes: number): void {
    this.#creditBytes += bytes;
    // [W-78]
    if (this.#creditBytes > this.manifest.totalBytes) {
      throw new EnvelopeError("ERR_STREAM_REFUSED", "credit for more bytes than the stream has");
    }
  }

  /** The next chunk; only when {@link ready}. A failing source stops the stream. */
  async take(): Promise<StreamChunk> {
    const index = this.#next;
    const length = chunkLength(this.manifest, index);
    this.#next += 1;
    this.#creditBytes -= length;
    const data = await this.#source.read(index * this.manifest.chunkBytes, length);
    if (data.byteLength !== length) throw new RangeError("the source gave another number of bytes");
    return { streamId: this.manifest.streamId, index, data };
  }

  /** The last chunk is on its way. */
  complete(): void {
    this.#resolve();
  }

  /** No further chunk leaves. */
  stop(reason: unknown): void {
    this.#reject(reason);
  }
}
