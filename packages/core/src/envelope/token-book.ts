import { type Bytes, toHex } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { IssuedToken } from "./token.ts";

/** Tokens that a book keeps: the newest, and those that it replaced, until they expire. */
const MAX_TOKENS = 8;

/** The tokens of one holder in one session; old and new are valid until the old expires. */
export class TokenBook {
  readonly #tokens = new Map<string, IssuedToken>();
  #newest: IssuedToken | undefined;

  /** Takes a token that was issued or verified. The oldest is dropped beyond eight. */
  add(issued: IssuedToken): void {
    this.#tokens.set(toHex(issued.ref), issued);
    this.#newest = issued;
    const oldest = this.#tokens.keys().next();
    if (this.#tokens.size > MAX_TOKENS && oldest.done === false) this.#tokens.delete(oldest.value);
  }

  /** The token to send with, if there is one. */
  get newest(): IssuedToken | undefined {
    return this.#newest;
  }

  /** When the last of the tokens expires; 0 without one. */
  get expiresAt(): number {
    return this.#newest?.token.expiresAt ?? 0;
  }

  /**
   * The token that a header refers to.
   * @throws EnvelopeError `ERR_TOKEN_UNKNOWN`, `ERR_TOKEN_EXPIRED`
   */
  require(ref: Bytes, nowMs: number): IssuedToken {
    const issued = this.#tokens.get(toHex(ref));
    // [W-44]
    if (issued === undefined)
      throw new EnvelopeError("ERR_TOKEN_UNKNOWN", "the token is not one of this session");
    // [W-45]
    if (issued.token.expiresAt <= nowMs || issued.token.notBefore > nowMs) {
      throw new EnvelopeError("ERR_TOKEN_EXPIRED", "the token of the message has expired");
    }
    return issued;
  }
}
