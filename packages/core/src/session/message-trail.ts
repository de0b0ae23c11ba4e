import { type Bytes, packBytes, unpackBytes } from "../bytes/index.ts";
import { runningHash } from "../envelope/index.ts";
import type { CryptoProvider } from "../platform/index.ts";

/** The MESSAGE frames of one direction: their number, their running hash, and what no CHECKPOINT covers yet. */
export class MessageTrail {
  /** Packed; the id of the session before the first frame. */
  #hash: string;
  #count = 0;
  #covered = 0;
  /** When the first came that is to be covered in time; `undefined` while all that says something is covered. */
  #waitingSinceMs: number | undefined;

  /** @param packedSid id of the session, packed, with which the hash begins */
  constructor(packedSid: string) {
    this.#hash = packedSid;
  }

  /** Frames since the session began. */
  get count(): number {
    return this.#count;
  }

  /** Running hash over them. */
  get hash(): Bytes {
    return unpackBytes(this.#hash);
  }

  /** Frames since the last CHECKPOINT. */
  get uncovered(): number {
    return this.#count - this.#covered;
  }

  /** Adds one frame, in the order of sending. @param waitsFromMs from when on it waits to be covered; absent: it can wait */
  async add(frame: Bytes, waitsFromMs: number | undefined, crypto: CryptoProvider): Promise<void> {
    this.#hash = packBytes(await runningHash(this.hash, frame, crypto));
    this.#waitingSinceMs ??= waitsFromMs;
    this.#count += 1;
  }

  /** How long the oldest frame that cannot wait has waited for its CHECKPOINT, ms; 0 when there is none. */
  waitingMs(nowMs: number): number {
    return this.#waitingSinceMs === undefined ? 0 : nowMs - this.#waitingSinceMs;
  }

  /** Time in which nothing could come does not count as waiting. */
  excuse(nowMs: number): void {
    if (this.#waitingSinceMs !== undefined) this.#waitingSinceMs = nowMs;
  }

  /** A CHECKPOINT covers everything so far. */
  cover(): void {
    this.#covered = this.#count;
    this.#waitingSinceMs = undefined;
  }
}
