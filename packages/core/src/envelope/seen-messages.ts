import { type Bytes, SparseMap, toHex } from "../bytes/index.ts";
import { WireError } from "../errors/index.ts";

/** Ids that are kept at once: far more than an honest peer signs within the life of a message. */
const MAX_IDS = 65_536;

/** Ids of messages that were handled in one session, kept until the messages could not be accepted anyway. */
export class SeenMessages {
  readonly #expiry = new SparseMap<string, number>();
  #nextPruneMs = 0;

  /** True when a message with this id was handled. */
  has(messageId: Bytes): boolean {
    return this.#expiry.has(toHex(messageId));
  }

  /**
   * Records a message that is about to be handled.
   * @param times when it expires, and now
   * @returns false when it was recorded before: then it must not be handled
   * @throws WireError `ERR_RATE_LIMITED` when too many are remembered: nothing may be handled that could be repeated
   */
  record(messageId: Bytes, times: { readonly expiresAt: number; readonly nowMs: number }): boolean {
    this.#prune(times.nowMs);
    const id = toHex(messageId);
    if (this.#expiry.has(id)) return false;
    // [W-59]
    if (this.#expiry.size >= MAX_IDS) {
      throw new WireError("ERR_RATE_LIMITED", `more than ${MAX_IDS} signed messages within their life`);
    }
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
