import { type Bytes, packBytes, unpackBytes } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { IssuedToken } from "./token.ts";

/** Tokens that a book keeps: the newest, and those that it replaced, until they expire. */
const MAX_TOKENS = 8;

/** What a book keeps of a token. */
export interface KeptToken {
  /** SHA-256 of the token's array, packed. */
  readonly packedRef: string;
  /** ms since 1970 on the server's clock. */
  readonly issuedAt: number;
  /** ms since 1970 on the server's clock. */
  readonly notBefore: number;
  /** ms since 1970 on the server's clock. */
  readonly expiresAt: number;
}

/** The tokens of one holder in one session; old and new are valid until the old expires. */
export class TokenBook {
  /** Oldest first. Few, so that looking through them is quicker than a table. */
  #tokens: readonly KeptToken[] = [];

  /** Takes a token that was issued or verified. The oldest is dropped beyond eight. */
  add({ token, ref }: Pick<IssuedToken, "token" | "ref">): void {
    const { issuedAt, notBefore, expiresAt } = token;
    const kept = { packedRef: packBytes(ref), issuedAt, notBefore, expiresAt };
    this.#tokens = [...this.#tokens, kept].slice(-MAX_TOKENS);
  }

  /** The token to send with, if there is one. */
  get newest(): KeptToken | undefined {
    return this.#tokens.at(-1);
  }

  /** Reference of the token to send with, if there is one: 32 bytes. */
  get newestRef(): Bytes | undefined {
    const { newest } = this;
    return newest === undefined ? undefined : unpackBytes(newest.packedRef);
  }

  /** When the last of the tokens expires; 0 without one. */
  get expiresAt(): number {
    return this.newest?.expiresAt ?? 0;
  }

  /**
   * The token that a header refers to.
   * @throws EnvelopeError `ERR_TOKEN_UNKNOWN`, `ERR_TOKEN_EXPIRED`
   */
  require(ref: Bytes, nowMs: number): KeptToken {
    const packed = packBytes(ref);
    const issued = this.#tokens.findLast(({ packedRef }) => packedRef === packed);
    // [W-44]
    if (issued === undefined)
      throw new EnvelopeError("ERR_TOKEN_UNKNOWN", "the token is not one of this session");
    // [W-45]
    if (issued.expiresAt <= nowMs || issued.notBefore > nowMs) {
      throw new EnvelopeError("ERR_TOKEN_EXPIRED", "the token of the message has expired");
    }
    return issued;
  }
}
