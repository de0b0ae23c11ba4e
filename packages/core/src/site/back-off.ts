import { type ErrorCode, isErrorCode, PhotinusError, WireError } from "../errors/index.ts";
import type { Random } from "../platform/index.ts";

/** When a site connects again, where its options do not say otherwise. */
export const RECONNECT = {
  firstMs: 500,
  longestMs: 30_000,
  /** Wait after a refusal that only people can repair. */
  refusedMs: 300_000,
  /** A session that lasted this long counts as a success: the next attempt is made soon. */
  steadyMs: 10_000,
} as const;

/** Refusals that another attempt will meet again: it is made all the same, since people repair things, but rarely. */
const PERMANENT: ReadonlySet<string> = new Set<ErrorCode>([
  "ERR_AUTH_FAILED",
  "ERR_VERSION_UNSUPPORTED",
  "ERR_CREDENTIAL_REQUIRED",
  "ERR_CREDENTIAL_REFUSED",
  "ERR_FORBIDDEN",
  "ERR_PLUGIN_REFUSED",
  "ERR_SUPERSEDED",
  "ERR_CLOCK_SKEW",
  "ERR_CRYPTO_MISSING",
  "ERR_X25519_MISSING",
  "ERR_CERTIFICATE_MALFORMED",
  "ERR_CERTIFICATE_UNTRUSTED",
  "ERR_CERTIFICATE_EXPIRED",
  "ERR_CERTIFICATE_NOT_YET_VALID",
  "ERR_CERTIFICATE_PURPOSE",
  "ERR_CERTIFICATE_NAME",
  "ERR_CERTIFICATE_SIGNATURE",
  "ERR_CERTIFICATE_UNSUPPORTED",
  "ERR_REVOKED",
  "ERR_SERVER_REVOKED",
  "ERR_SUSPENDED",
  "ERR_CRL_MISSING",
  "ERR_CRL_STALE",
  "ERR_CRL_ROLLBACK",
  "ERR_CRL_UNTRUSTED",
]);

/** True for a refusal that only people can repair. */
export function isPermanentRefusal(code: ErrorCode): boolean {
  return PERMANENT.has(code);
}

/**
 * True when the server said, in a session or a handshake that authenticated it, that the site's own certificate was
 * revoked. No later attempt with this certificate can succeed, so none is made.
 */
export function isFinalRefusal(code: ErrorCode): boolean {
  return code === "ERR_REVOKED";
}

/** How long attempts wait. */
export interface BackOffOptions {
  /** ms before the second attempt. */
  readonly firstMs: number;
  /** Longest wait in ms. */
  readonly longestMs: number;
  /** Wait in ms after a permanent refusal. */
  readonly refusedMs: number;
  /** When the server wants to be asked again, ms from now, where it named a time. */
  readonly retryAfterMs?: number | undefined;
  /** Time over which the sites of the server spread after it was lost, ms; as its last WELCOME told. Default 0. */
  readonly returnMs?: number;
}

/**
 * ms until the next attempt: doubled with each failure, and only part of it is fixed, so that the sites of a server
 * that comes back do not all arrive at once. Never before the time that the server named, and up to half as long after
 * it; after a lost connection anywhere in the time that the server gave its sites to spread.
 *
 * @param failures in a row, at least 1
 */
export function backOffMs(
  failures: number,
  code: ErrorCode,
  options: BackOffOptions & { readonly random: Random },
): number {
  const { firstMs, longestMs, refusedMs, retryAfterMs = 0, returnMs = 0, random } = options;
  const fullMs = isPermanentRefusal(code)
    ? refusedMs
    : Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30));
  const [high = 0, low = 0] = random.bytes(2);
  const fraction = (256 * high + low) / 65_536;
  const ownMs = fullMs / 2 + (fraction * fullMs) / 2;
  const askedMs = retryAfterMs + (fraction * retryAfterMs) / 2;
  const spreadMs = code === "ERR_CONNECTION_LOST" ? fraction * returnMs : 0;
  return Math.round(Math.max(ownMs, askedMs, spreadMs));
}

/** There was no session. */
export function endedBy(error: unknown): Ended {
  const isKnown = error instanceof PhotinusError && isErrorCode(error.code);
  return {
    code: isKnown ? error.code : "ERR_CONNECTION_LOST",
    detail: error instanceof Error ? error.message : "",
    retryAfterMs: error instanceof WireError ? error.retryAfterMs : undefined,
    isSteady: false,
    isByServer: true,
  };
}

/** How a session ended, or why there was none. */
export interface Ended {
  /** The cause. */
  readonly code: ErrorCode;
  /** For people. */
  readonly detail: string;
  /** When the server wants to be asked again, ms. */
  readonly retryAfterMs: number | undefined;
  /** True when the session lasted long enough to count as a success. */
  readonly isSteady: boolean;
  /** False when this side ended a session. */
  readonly isByServer: boolean;
}
