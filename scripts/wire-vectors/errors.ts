import { type Bytes, toHex } from "../../packages/core/src/bytes/index.ts";
import { type ErrorNotice, writeError } from "../../packages/core/src/envelope/index.ts";
import { describeError, type ErrorCode } from "../../packages/core/src/errors/index.ts";

const id: Bytes = new Uint8Array(16).fill(3);

const NOTICES: readonly ErrorNotice[] = [
  { code: "ERR_AUTH_FAILED", detail: "" },
  { code: "ERR_BUSY", inReplyTo: id, retryAfterMs: 5000, detail: "later" },
  { code: "ERR_TYPE_UNKNOWN", inReplyTo: id, detail: "type 99 is not registered" },
  { code: "ERR_GOING_AWAY", detail: "done" },
  { code: "ERR_INTERNAL", detail: "Größe" },
];

/** Codes of the protocol; those of jobs stand in docs/ERRORS.md. */
const CODES: readonly ErrorCode[] = [
  "ERR_FRAME_MALFORMED",
  "ERR_VERSION_UNSUPPORTED",
  "ERR_AUTH_FAILED",
  "ERR_TOO_LARGE",
  "ERR_RATE_LIMITED",
  "ERR_TOKEN_EXPIRED",
  "ERR_TOKEN_UNKNOWN",
  "ERR_ENVELOPE_REPLAYED",
  "ERR_SEQUENCE_GAP",
  "ERR_ENVELOPE_STALE",
  "ERR_ENVELOPE_WRONG_RECIPIENT",
  "ERR_ENVELOPE_SIGNATURE_INVALID",
  "ERR_DIGEST_MISMATCH",
  "ERR_DECODE_REFUSED",
  "ERR_TYPE_UNKNOWN",
  "ERR_SUPERSEDED",
  "ERR_ENVELOPE_UNKNOWN_SENDER",
  "ERR_STREAM_REFUSED",
  "ERR_GOING_AWAY",
  "ERR_CLOCK_SKEW",
  "ERR_BUSY",
  "ERR_CREDENTIAL_REQUIRED",
  "ERR_CREDENTIAL_REFUSED",
  "ERR_CREDENTIAL_EXPIRED",
  "ERR_INTERNAL",
];

/** Numbers of the codes, and ERROR frames. */
export function errorVectors(): object {
  return {
    about:
      "codes: number on the wire and what a receiver does. frames: ERROR frames (kind 10) as one sends them inside or, while there is no session, outside SESSION.",
    codes: CODES.map((code) => {
      const { wire, action } = describeError(code);
      return { name: code, code: wire, action };
    }),
    frames: NOTICES.map((notice) => ({
      code: describeError(notice.code).wire,
      inReplyTo: notice.inReplyTo === undefined ? null : toHex(notice.inReplyTo),
      retryAfterMs: notice.retryAfterMs ?? null,
      detail: notice.detail,
      frame: toHex(writeError(notice)),
    })),
  };
}
