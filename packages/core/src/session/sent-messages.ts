import { type Bytes, SparseMap, toHex } from "../bytes/index.ts";

/** Messages that are kept, bytes of their bodies, and for how long: what a peer may still find stale. */
const MOST_MESSAGES = 64;
const MOST_BYTES = 262_144;
const KEPT_MS = 600_000;

/** A signed message as it was given to the session. */
export interface SentMessage {
  readonly type: number;
  /** 16 bytes. */
  readonly messageId: Bytes;
  readonly inReplyTo: Bytes | undefined;
  readonly scope: string | undefined;
  /** Encoded body. */
  readonly body: Bytes;
}

interface Kept {
  readonly message: SentMessage;
  readonly untilMs: number;
  readonly isAgain: boolean;
}

/**
 * The signed messages that left last. One that waited for more than a minute on its way, because the peer read slowly or
 * a machine slept, is refused as stale and leaves again, signed anew under the same id.
 */
export class SentMessages {
  readonly #kept = new SparseMap<string, Kept>();
  #bytes = 0;

  /** Keeps a message that is about to leave; the oldest are dropped beyond the bounds, a large one is not kept. */
  add(message: SentMessage, nowMs: number): void {
    const { byteLength } = message.body;
    if (byteLength > MOST_BYTES) return;
    const own = toHex(message.messageId);
    this.#drop(own);
    this.#kept.set(own, { message, untilMs: nowMs + KEPT_MS, isAgain: false });
    this.#bytes += byteLength;
    for (const [id, { untilMs }] of this.#kept) {
      const isTooMuch = this.#kept.size > MOST_MESSAGES || this.#bytes > MOST_BYTES;
      if (!isTooMuch && untilMs > nowMs) return;
      this.#drop(id);
    }
  }

  /** A message that is to leave again, if it is kept; "twice" when it did so before. */
  again(messageId: Bytes): SentMessage | "twice" | undefined {
    const id = toHex(messageId);
    const kept = this.#kept.get(id);
    if (kept === undefined) return undefined;
    if (kept.isAgain) return "twice";
    this.#kept.set(id, { ...kept, isAgain: true });
    return kept.message;
  }

  #drop(id: string): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    this.#bytes -= kept.message.body.byteLength;
  }
}
