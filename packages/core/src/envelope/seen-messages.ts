import { type Bytes, toHex } from "../bytes/index.ts";

/** Ids of messages that were handled in one session, kept until the messages could not be accepted anyway. */
export class SeenMessages {
  readonly #expiry = new Map<string, number>();
  #nextPruneMs = 0;

  /** True when a message with this id was handled. */
  has(messageId: Bytes): boolean {
    return this.#expiry.has(toHex(messageId));
  }

  /**
   * Records a message that is about to be handled.
   * @param times when it expires, and now
   * @returns false when it was recorded before: then it must not be handled
   */
  record(messageId: Bytes, times: { readonly expiresAt: number; readonly nowMs: number }): boolean {
    this.#prune(times.nowMs);
    const id = toHex(messageId);
    if (this.#expiry.has(id)) return false;
    this.#expiry.set(id, times.expiresAt);
    return true;
  }

  /** Expired messages are refused as stale, so their ids need not be kept. */
  #prune(nowMs: number): void {
    if (nowMs < this.#nextPruneMs) return;
    this.#nextPruneMs = nowMs + 60_000;
    for (const [id, expiresAt] of this.#expiry) if (expiresAt <= nowMs) this.#expiry.delete(id);
  }
}
