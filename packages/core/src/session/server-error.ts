import { readError } from "../envelope/index.ts";
import {
  AuthenticationError,
  MessageError,
  type PhotinusError,
  PkiError,
  WireError,
} from "../errors/index.ts";
import type { Frame } from "../wire/index.ts";

/** The reason that the peer gave inside the encrypted session, as an error of its code. */
export function readServerError(frame: Frame): PhotinusError {
  const { code, detail, retryAfterMs } = readError(frame);
  const text = detail === "" ? `the server refused: ${code}` : `the server refused: ${detail}`;
  switch (code) {
    case "ERR_CRL_MISSING":
    case "ERR_CRL_ROLLBACK":
    case "ERR_CRL_STALE":
    case "ERR_INVITE_REFUSED":
    case "ERR_NAME_TAKEN":
    case "ERR_QUOTA_EXCEEDED":
    case "ERR_REQUEST_DENIED":
    case "ERR_REQUEST_PENDING":
    case "ERR_REVOKED":
    case "ERR_SUSPENDED":
      return new PkiError(code, text);
    case "ERR_AUTH_FAILED":
    case "ERR_BUSY":
    case "ERR_CLOCK_SKEW":
    case "ERR_GOING_AWAY":
    case "ERR_INTERNAL":
    case "ERR_RATE_LIMITED":
    case "ERR_SUPERSEDED":
    case "ERR_TLS_MODE":
    case "ERR_TOO_LARGE":
    case "ERR_VERSION_UNSUPPORTED":
      return new WireError(code, text, { retryAfterMs });
    case "ERR_CREDENTIAL_EXPIRED":
    case "ERR_CREDENTIAL_REFUSED":
      return new AuthenticationError(code, text);
    case "ERR_TYPE_UNKNOWN":
      return new MessageError(code, text);
    default:
      return new WireError("ERR_AUTH_FAILED", `${text} (${code})`);
  }
}
