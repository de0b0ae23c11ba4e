import { equalBytes } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { chunkCount, chunkLength, leafOf } from "./chunks.ts";
import type { StreamManifest, StreamSink } from "./contract.ts";
import { CreditWindow } from "./credit-window.ts";
import type { StreamChunk } from "./frames.ts";

/** What an incoming stream works with. */
export interface IncomingModules {
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** By which the way of the stream is measured, and chunks take turns with other work. */
  readonly clock: Clock;
  /** Sends CREDIT for this stream. */
  readonly grant: (bytes: number) => void;
}

/** Options of {@link IncomingStream}. */
export interface IncomingOptions {
  /** Where the chunks go. */
  readonly sink: StreamSink;
  /** Granted and unwritten at most; at least one chunk. What the way needs is granted, see {@link CreditWindow}. */
  readonly windowBytes: number;
  /** Window that an earlier stream of the same session had at its end. Default: none. */
  readonly firstWindowBytes?: number | undefined;
}

/**
 * The receiving end of one accepted stream. Chunks come in any order; each is checked against its leaf on arrival,
 * then written, then credited: what is granted and not written yet is never more than the window.
 */
export class IncomingStream {
  readonly #manifest: StreamManifest;
  readonly #sink: StreamSink;
  readonly #window: CreditWindow;
  readonly #modules: IncomingModules;
  readonly #received: Uint8Array;
  #missing: number;
  /** Granted and not used by the peer. */
  #creditBytes = 0;
  /** Not granted yet, of the whole stream. */
  #ungrantedBytes: number;
  /** Granted and not written yet. */
  #outstandingBytes = 0;
  #failed = false;
  /** The chunks that were taken, one after another. */
  #turns: Promise<void> = Promise.resolve();
  /** Settles when every chunk is written, or with the first failure. */
  readonly done: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;

  /** @param manifest has been checked */
  constructor(manifest: StreamManifest, options: IncomingOptions, modules: IncomingModules) {
    const { sink, windowBytes: mostBytes, firstWindowBytes: firstBytes } = options;
    const { chunkBytes } = manifest;
    this.#manifest = manifest;
    this.#sink = sink;
    this.#window = new CreditWindow({ mostBytes, chunkBytes, firstBytes }, modules.clock);
    this.#modules = modules;
    const { received } = sink;
    const count = chunkCount(manifest);
    this.#received = Uint8Array.from({ length: count }, (_, index) => (received?.has(index) ? 1 : 0));
    this.#missing = count - (received?.count ?? 0);
    this.#ungrantedBytes = manifest.totalBytes - (received?.byteLength ?? 0);
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined); // whoever accepted the stream awaits it; a late reader is no fault
  }

  /** True when nothing more is expected: all arrived, or it failed and the credit that was out is used up. */
  get spent(): boolean {
    return this.#missing === 0 || (this.#failed && this.#creditBytes === 0);
  }

  /** Credit that the peer has not used, bytes. */
  get unusedCredit(): number {
    return this.#creditBytes;
  }

  /** What a next stream over the same way begins with, bytes; nothing while nothing was learned. */
  get learnedWindowBytes(): number | undefined {
    return this.#window.learnedBytes;
  }

  /** Grants the first window; a stream of which everything is there is done. */
  begin(): void {
    if (this.#missing === 0) this.#resolve();
    else this.#grant(this.#window.bytes);
  }

  /** Ends the stream; what still arrives under granted credit is ignored. */
  fail(reason: unknown): void {
    this.#failed = true;
    this.#reject(reason);
  }

  /**
   * Takes one chunk. The checks that end the session are made at once; the leaf is checked and the data written
   * later, so that other frames need not wait.
   * @param release called when the chunk was written
   * @throws EnvelopeError `ERR_STREAM_REFUSED` when the peer had no credit for it
   */
  take(chunk: StreamChunk, release?: () => void): void {
    const length = chunk.data.byteLength;
    // [W-75]
    if (length > this.#creditBytes) {
      throw new EnvelopeError("ERR_STREAM_REFUSED", `a chunk of ${length} bytes without credit`);
    }
    this.#creditBytes -= length;
    this.#window.arrived(length);
    const problem = this.#failed ? undefined : this.#problemOf(chunk);
    if (problem !== undefined) this.fail(new EnvelopeError("ERR_STREAM_REFUSED", problem));
    if (this.#failed) {
      release?.();
      return;
    }
    this.#received[chunk.index] = 1;
    this.#turns = this.#turns.then(() => this.#verifyInTurn(chunk)).finally(release);
  }

  /** A turn each: frames that came meanwhile are read first, so that none waits for more than one chunk's work. */
  async #verifyInTurn(chunk: StreamChunk): Promise<void> {
    try {
      await this.#modules.clock.yield();
      if (!this.#failed) await this.#verify(chunk);
    } catch (reason) {
      this.fail(reason);
    }
  }

  #problemOf({ index, data }: StreamChunk): string | undefined {
    // [W-76]
    if (index >= chunkCount(this.#manifest)) return `chunk ${index} is not in the manifest`;
    if (data.byteLength !== chunkLength(this.#manifest, index)) return `chunk ${index} has another length`;
    if (this.#received[index] === 1) return `chunk ${index} came twice`;
    return undefined;
  }

  async #verify({ index, data }: StreamChunk): Promise<void> {
    // [W-77]
    const leaf = await this.#modules.crypto.sha256(data);
    if (!equalBytes(leaf, leafOf(this.#manifest.leaves, index))) {
      throw new EnvelopeError("ERR_DIGEST_MISMATCH", `chunk ${index} is not the one that was signed`);
    }
    if (this.#failed) return;
    await this.#sink.write(index * this.#manifest.chunkBytes, data);
    this.#missing -= 1;
    this.#outstandingBytes -= data.byteLength;
    if (this.#missing === 0) this.#resolve();
    else this.#grantAgain();
  }

  /** One CREDIT frame for a quarter of the window, not one for each chunk. */
  #grantAgain(): void {
    const { bytes } = this.#window;
    const free = bytes - this.#outstandingBytes;
    if (free >= bytes / 4) this.#grant(free);
  }

  #grant(bytes: number): void {
    const granted = Math.min(bytes, this.#ungrantedBytes);
    if (granted === 0 || this.#failed) return;
    this.#ungrantedBytes -= granted;
    this.#creditBytes += granted;
    this.#outstandingBytes += granted;
    this.#window.granted(granted);
    this.#modules.grant(granted);
  }
}
