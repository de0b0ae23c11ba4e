import { type Bytes, equalBytes } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { IssuedToken } from "./token.ts";

/** Tokens that a book keeps: the newest, and those that it replaced, until they expire. */
const MAX_TOKENS = 8;

/** What a book keeps of a token. */
export type KeptToken = Pick<IssuedToken, "token" | "ref">;

/** The tokens of one holder in one session; old and new are valid until the old expires. */
export class TokenBook {
  /** Oldest first. Few, so that looking through them is quicker than a table. */
  #tokens: readonly KeptToken[] = [];

  /** Takes a token that was issued or verified. The oldest is dropped beyond eight. */
  add({ token, ref }: KeptToken): void {
    this.#tokens = [...this.#tokens, { token, ref }].slice(-MAX_TOKENS);
  }

  /** The token to send with, if there is one. */
  get newest(): KeptToken | undefined {
    return this.#tokens.at(-1);
  }

  /** When the last of the tokens expires; 0 without one. */
  get expiresAt(): number {
    return this.newest?.token.expiresAt ?? 0;
  }

  /**
   * The token that a header refers to.
   * @throws EnvelopeError `ERR_TOKEN_UNKNOWN`, `ERR_TOKEN_EXPIRED`
   */
  require(ref: Bytes, nowMs: number): KeptToken {
    const issued = this.#tokens.findLast((kept) => equalBytes(kept.ref, ref));
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
