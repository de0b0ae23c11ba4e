import { type Bytes, packBytes, unpackBytes } from "../bytes/index.ts";
import { runningHash } from "../envelope/index.ts";
import type { CryptoProvider } from "../platform/index.ts";

/** The MESSAGE frames of one direction: their number, their running hash, and what no CHECKPOINT covers yet. */
export class MessageTrail {
  readonly #sid: Bytes;
  /** Packed; the id of the session before the first frame. */
  #hash: string | undefined;
  #count = 0;
  #covered = 0;
  #uncoveredSinceMs = 0;

  /** @param sid id of the session, with which the hash begins */
  constructor(sid: Bytes) {
    this.#sid = sid;
  }

  /** Frames since the session began. */
  get count(): number {
    return this.#count;
  }

  /** Running hash over them. */
  get hash(): Bytes {
    return this.#hash === undefined ? this.#sid : unpackBytes(this.#hash);
  }

  /** Frames since the last CHECKPOINT. */
  get uncovered(): number {
    return this.#count - this.#covered;
  }

  /** Adds one frame, in the order of sending. */
  async add(frame: Bytes, nowMs: number, crypto: CryptoProvider): Promise<void> {
    this.#hash = packBytes(await runningHash(this.hash, frame, crypto));
    if (this.uncovered === 0) this.#uncoveredSinceMs = nowMs;
    this.#count += 1;
  }

  /** How long the oldest frame has waited for its CHECKPOINT, ms; 0 when all are covered. */
  waitingMs(nowMs: number): number {
    return this.uncovered === 0 ? 0 : nowMs - this.#uncoveredSinceMs;
  }

  /** Time in which nothing could come does not count as waiting. */
  excuse(nowMs: number): void {
    this.#uncoveredSinceMs = nowMs;
  }

  /** A CHECKPOINT covers everything so far. */
  cover(): void {
    this.#covered = this.#count;
  }
}
