import { type Bytes, packBytes, unpackBytes } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { IssuedToken } from "./token.ts";

/** Tokens that a book keeps: the newest, and those that it replaced. */
const MAX_TOKENS = 8;
/** Kept so long after its end, a late message still hears that its token has expired, ms. */
const EXPIRED_MS = 60_000;

/** What a book keeps of a token. */
export interface KeptToken {
  /** ms since 1970 on the server's clock. */
  readonly issuedAt: number;
  /** ms since 1970 on the server's clock. */
  readonly notBefore: number;
  /** ms since 1970 on the server's clock. */
  readonly expiresAt: number;
}

/**
 * The tokens of one holder in one session; old and new are valid until the old expires. Each is kept as one string, its
 * reference and its three times: an eighth of what it takes as objects, and a server has two books for each session.
 */
export class TokenBook {
  #newest: string | undefined;
  /** Oldest first. */
  #older: readonly string[] = NONE;

  /** Takes a token that was issued or verified. Those that have long expired by then are dropped, and the oldest beyond eight. */
  add({ token, ref }: Pick<IssuedToken, "token" | "ref">): void {
    const older = this.#newest === undefined ? NONE : [...this.#older, this.#newest];
    const isOfUse = (packed: string): boolean => timesOf(packed).expiresAt + EXPIRED_MS > token.issuedAt;
    this.#older = older.filter(isOfUse).slice(1 - MAX_TOKENS);
    this.#newest = packToken(ref, token);
  }

  /** The token to send with, if there is one. */
  get newest(): KeptToken | undefined {
    return this.#newest === undefined ? undefined : timesOf(this.#newest);
  }

  /** Reference of the token to send with, if there is one: 32 bytes. */
  get newestRef(): Bytes | undefined {
    return this.#newest === undefined ? undefined : unpackBytes(this.#newest.slice(0, REF_BYTES));
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
    const packed = this.#find(packBytes(ref));
    // [W-44]
    if (packed === undefined)
      throw new EnvelopeError("ERR_TOKEN_UNKNOWN", "the token is not one of this session");
    const kept = timesOf(packed);
    // [W-45]
    if (kept.expiresAt <= nowMs || kept.notBefore > nowMs) {
      throw new EnvelopeError("ERR_TOKEN_EXPIRED", "the token of the message has expired");
    }
    return kept;
  }

  #find(ref: string): string | undefined {
    if (ref.length !== REF_BYTES) return undefined;
    if (this.#newest?.startsWith(ref)) return this.#newest;
    return this.#older.findLast((packed) => packed.startsWith(ref));
  }
}

const NONE: readonly never[] = [];
const REF_BYTES = 32;
const TIME_BYTES = 8;

function packToken(ref: Bytes, { issuedAt, notBefore, expiresAt }: KeptToken): string {
  if (ref.length !== REF_BYTES) throw new RangeError("the reference of a token has 32 bytes");
  const bytes = new Uint8Array(REF_BYTES + 3 * TIME_BYTES);
  bytes.set(ref);
  const view = new DataView(bytes.buffer, REF_BYTES);
  for (const [index, timeMs] of [issuedAt, notBefore, expiresAt].entries()) {
    view.setFloat64(index * TIME_BYTES, timeMs);
  }
  return packBytes(bytes);
}

function timesOf(packed: string): KeptToken {
  const view = new DataView(unpackBytes(packed.slice(REF_BYTES)).buffer);
  return {
    issuedAt: view.getFloat64(0),
    notBefore: view.getFloat64(TIME_BYTES),
    expiresAt: view.getFloat64(2 * TIME_BYTES),
  };
}
