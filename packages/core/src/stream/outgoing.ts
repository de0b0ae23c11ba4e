import type { Bytes } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import { ChunkSet } from "./chunk-set.ts";
import { chunkCount, chunkLength } from "./chunks.ts";
import type { StreamManifest, StreamSource } from "./contract.ts";
import type { StreamChunk } from "./frames.ts";

/** The sending end of one stream: what is next, and how much the receiver allows. */
export class OutgoingStream {
  /** What was announced. */
  readonly manifest: StreamManifest;
  readonly #source: StreamSource;
  #creditBytes = 0;
  /** All credit so far. */
  #grantedBytes = 0;
  #next = 0;
  /** Chunks that the receiver has from an earlier session. */
  #skipped: ChunkSet | undefined;
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
    this.#grantedBytes += bytes;
    // [W-78]
    if (this.#grantedBytes > this.manifest.totalBytes - (this.#skipped?.byteLength ?? 0)) {
      throw new EnvelopeError("ERR_STREAM_REFUSED", "credit for more bytes than the stream has");
    }
  }

  /**
   * The receiver has chunks from an earlier session: they are not sent again.
   * @param bitmap see {@link ChunkSet.bitmap}
   * @throws EnvelopeError `ERR_STREAM_REFUSED` when it is no bitmap of this stream, or comes after credit
   */
  skip(bitmap: Bytes): void {
    // [W-121]
    if (this.#grantedBytes > 0 || this.#skipped !== undefined) {
      throw new EnvelopeError(
        "ERR_STREAM_REFUSED",
        "what is there of a stream is told once, before its credit",
      );
    }
    this.#skipped = ChunkSet.fromBitmap(this.manifest, bitmap);
    this.#skip();
  }

  /** The next chunk; only when {@link ready}. A failing source stops the stream. */
  async take(): Promise<StreamChunk> {
    const index = this.#next;
    const length = chunkLength(this.manifest, index);
    this.#next += 1;
    this.#skip();
    this.#creditBytes -= length;
    const data = await this.#source.read(index * this.manifest.chunkBytes, length);
    if (data.byteLength !== length) throw new RangeError("the source gave another number of bytes");
    return { streamId: this.manifest.streamId, index, data };
  }

  #skip(): void {
    while (this.#skipped?.has(this.#next) === true) this.#next += 1;
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
