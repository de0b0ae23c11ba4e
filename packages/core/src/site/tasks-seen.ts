import { type Bytes, equalBytes, toHex } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";

/** Tasks that are remembered: the last rounds of a few jobs. */
const REMEMBERED = 64;

/** The messages of the last tasks: each may come again in another session, and is then the same. */
export class TasksSeen {
  readonly #digests = new Map<string, Bytes>();

  /**
   * A task came.
   * @param payloadDigest of the signed message
   * @throws EnvelopeError `ERR_ENVELOPE_REPLAYED` when another one came under this id before
   */
  require(messageId: Bytes, payloadDigest: Bytes | undefined): void {
    if (payloadDigest === undefined) throw new EnvelopeError("ERR_ENVELOPE_REPLAYED", "a task is signed");
    const name = toHex(messageId);
    const known = this.#digests.get(name);
    // [W-123]
    if (known !== undefined && !equalBytes(known, payloadDigest)) {
      throw new EnvelopeError("ERR_ENVELOPE_REPLAYED", "another task was sent under this id");
    }
    this.#digests.set(name, Uint8Array.from(payloadDigest));
    const [oldest] = this.#digests.keys();
    if (this.#digests.size > REMEMBERED && oldest !== undefined) this.#digests.delete(oldest);
  }
}
