import { type Bytes, SparseMap, toHex } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import {
  type BlobFrames,
  checkManifest,
  chunkParts,
  IncomingStream,
  OutgoingStream,
  type StreamChunk,
  type StreamManifest,
  type StreamSink,
  type StreamSource,
  writeCredit,
} from "../stream/index.ts";
import type { Bulk, Outbox, Piece } from "./outbox.ts";

/** Limits of the streams of a session. */
export interface StreamTableLimits {
  /** Granted and not written yet at most, for each stream. */
  readonly windowBytes: number;
  /** Largest stream. */
  readonly streamBytes: number;
}

/** Streams whose credit is kept until this side begins to send them. */
const MAX_EARLY_CREDITS = 64;
/** Failed streams whose late chunks are ignored; a chunk of an older one is a chunk of no stream. */
const MAX_FAILED_STREAMS = 64;

/** What a table of streams works with. */
export interface StreamTableModules {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly outbox: Outbox;
}

/** The streams of one session in both directions, and the blobs that it sends. */
export class StreamTable {
  readonly #limits: StreamTableLimits;
  readonly #modules: StreamTableModules;
  readonly #incoming = new SparseMap<string, IncomingStream>();
  /** Credit that was on its way when a stream failed, and that the peer has not used. */
  readonly #failed = new SparseMap<string, number>();
  readonly #outgoing = new SparseMap<string, OutgoingStream>();
  /** The receiver of a manifest may be quicker than its sender, who has yet to begin. */
  readonly #earlyCredits = new SparseMap<string, number>();
  /** What the receiver has of streams that are yet to begin. */
  readonly #earlyBitmaps = new SparseMap<string, Bytes>();
  /** What the last stream found that the way needs. */
  #windowBytes: number | undefined;

  constructor(limits: StreamTableLimits, modules: StreamTableModules) {
    this.#limits = limits;
    this.#modules = modules;
  }

  /** See `Session.acceptStream`. */
  async accept(manifest: StreamManifest, sink: StreamSink, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await checkManifest(manifest, this.#limits.streamBytes, this.#modules.crypto);
    signal?.throwIfAborted();
    const id = toHex(manifest.streamId);
    if (this.#incoming.has(id) || this.#failed.has(id))
      throw new EnvelopeError("ERR_STREAM_REFUSED", "a stream with this id is open");
    const grant = (bytes: number): void => {
      // A session that has ended has told every stream; nothing is lost with this frame.
      this.#modules.outbox.post(() => writeCredit(manifest.streamId, bytes)).catch(() => undefined);
    };
    const { crypto, clock } = this.#modules;
    const { windowBytes } = this.#limits;
    const options = { sink, windowBytes, firstWindowBytes: this.#windowBytes };
    const stream = new IncomingStream(manifest, options, { crypto, clock, grant });
    this.#incoming.set(id, stream);
    stream.begin();
    try {
      await abortable(stream, signal);
    } finally {
      this.#windowBytes = stream.learnedWindowBytes ?? this.#windowBytes;
      this.#forget(id, stream);
    }
  }

  /**
   * @param release called when nobody needs the memory of the chunk any more
   * @throws EnvelopeError `ERR_STREAM_REFUSED` when no credit was granted for it: the session ends
   */
  takeChunk(chunk: StreamChunk, release: () => void): void {
    const id = toHex(chunk.streamId);
    const stream = this.#incoming.get(id);
    if (stream === undefined) {
      this.#takeLate(id, chunk.data.byteLength);
      release();
      return;
    }
    stream.take(chunk, release);
  }

  /** Of a failed stream nothing is kept but the credit that was on its way, and of no more than 64. */
  #forget(id: string, { spent, unusedCredit }: IncomingStream): void {
    this.#incoming.delete(id);
    if (spent) return;
    this.#failed.set(id, unusedCredit);
    const { oldest } = this.#failed;
    if (this.#failed.size > MAX_FAILED_STREAMS && oldest !== undefined) this.#failed.delete(oldest);
  }

  #takeLate(id: string, bytes: number): void {
    const credit = this.#failed.get(id);
    // [W-75]
    if (credit === undefined || bytes > credit) {
      throw new EnvelopeError("ERR_STREAM_REFUSED", "a chunk of a stream that is not open");
    }
    if (bytes === credit) this.#failed.delete(id);
    else this.#failed.set(id, credit - bytes);
  }

  /** See `Session.sendStream`. */
  async send(manifest: StreamManifest, source: StreamSource, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const id = toHex(manifest.streamId);
    if (this.#outgoing.has(id)) throw new TypeError("a stream with this id is being sent");
    const stream = new OutgoingStream(manifest, source);
    this.#takeEarly(id, stream); // before it is open: what was said of it too early may be wrong
    this.#outgoing.set(id, stream);
    const bulk: Bulk = {
      encrypted: true,
      get ready() {
        return stream.ready;
      },
      get finished() {
        return stream.finished;
      },
      take: async () => ({ parts: chunkParts(await stream.take()) }),
      complete: () => stream.complete(),
      stop: (reason) => stream.stop(reason),
    };
    this.#modules.outbox.add(bulk);
    try {
      await abortable({ done: stream.done, fail: (reason) => stream.stop(reason) }, signal);
    } finally {
      this.#modules.outbox.remove(bulk);
      this.#outgoing.delete(id);
    }
  }

  /** @throws EnvelopeError `ERR_STREAM_REFUSED` for credit beyond the stream */
  takeCredit({ streamId, bytes }: { readonly streamId: Bytes; readonly bytes: number }): void {
    const id = toHex(streamId);
    const stream = this.#outgoing.get(id);
    if (stream === undefined) {
      this.#keepEarly(id, bytes);
      return;
    }
    stream.credit(bytes);
    this.#modules.outbox.nudge();
  }

  /**
   * The receiver has chunks of a stream from an earlier session; one that is not being sent may begin yet.
   * @throws EnvelopeError `ERR_STREAM_REFUSED` for what is no bitmap of the stream, or comes after credit
   */
  takeResumed({ streamId, received }: { readonly streamId: Bytes; readonly received: Bytes }): void {
    const id = toHex(streamId);
    const stream = this.#outgoing.get(id);
    if (stream === undefined) {
      this.#earlyBitmaps.set(id, received);
      const { oldest } = this.#earlyBitmaps;
      if (this.#earlyBitmaps.size > MAX_EARLY_CREDITS && oldest !== undefined) {
        this.#earlyBitmaps.delete(oldest);
      }
      return;
    }
    stream.skip(received);
    if (stream.finished) stream.complete();
  }

  #takeEarly(id: string, stream: OutgoingStream): void {
    const bitmap = this.#earlyBitmaps.get(id);
    const credit = this.#earlyCredits.get(id);
    this.#earlyBitmaps.delete(id);
    this.#earlyCredits.delete(id);
    if (bitmap !== undefined) stream.skip(bitmap);
    if (credit !== undefined) stream.credit(credit);
    if (stream.finished) stream.complete();
  }

  #keepEarly(id: string, bytes: number): void {
    this.#earlyCredits.set(id, (this.#earlyCredits.get(id) ?? 0) + bytes);
    const { oldest } = this.#earlyCredits;
    if (this.#earlyCredits.size > MAX_EARLY_CREDITS && oldest !== undefined) {
      this.#earlyCredits.delete(oldest);
    }
  }

  /** True when no stream is open, in either direction. */
  get isIdle(): boolean {
    return this.#incoming.size === 0 && this.#outgoing.size === 0;
  }

  /** See `Session.sendBlob`. */
  async sendBlob(blob: { readonly frames: BlobFrames }, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const bulk = new BlobBulk(blob.frames);
    this.#modules.outbox.add(bulk);
    try {
      await abortable({ done: bulk.done, fail: (reason) => bulk.stop(reason) }, signal);
    } finally {
      this.#modules.outbox.remove(bulk);
    }
  }

  /** The session has ended. */
  stop(reason: unknown): void {
    for (const stream of this.#incoming.values()) stream.fail(reason);
    for (const stream of this.#outgoing.values()) stream.stop(reason);
  }
}

/** The frames of a blob, the same for every socket. */
class BlobBulk implements Bulk {
  readonly encrypted = false;
  readonly done: Promise<void>;
  readonly #frames: BlobFrames;
  #next = 0;
  #resolve: () => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;

  constructor(frames: BlobFrames) {
    this.#frames = frames;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined); // the sender awaits it; a late reader is no fault
  }

  get ready(): boolean {
    return !this.finished;
  }

  get finished(): boolean {
    return this.#next >= this.#frames.length;
  }

  async take(): Promise<Piece> {
    const index = this.#next;
    this.#next += 1;
    const frame = await this.#frames.at(index);
    if (frame === undefined) throw new RangeError("the blob has no further chunk");
    return { parts: [frame], onSent: () => this.#frames.release?.(index) };
  }

  complete(): void {
    this.#resolve();
  }

  stop(reason: unknown): void {
    this.#reject(reason);
  }
}

/** Waits for the end of a transfer; the signal fails it. */
async function abortable(
  transfer: { readonly done: Promise<void>; readonly fail: (reason: unknown) => void },
  signal: AbortSignal | undefined,
): Promise<void> {
  const onAbort = (): void => transfer.fail(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await transfer.done;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
