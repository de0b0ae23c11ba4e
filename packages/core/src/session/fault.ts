import { ERRORS, type ErrorCode, isErrorCode, PhotinusError, WireError } from "../errors/index.ts";

/** A failure as it is told, logged and counted. */
export interface Fault {
  readonly code: ErrorCode;
  /** For people. */
  readonly detail: string;
  /** ms after which another attempt may succeed, where that is known. */
  readonly retryAfterMs?: number | undefined;
}

/** What an error says; anything that is not of Photinus is internal, and its text stays here. */
export function faultOf(error: unknown): Fault {
  if (error instanceof PhotinusError && isErrorCode(error.code)) {
    const retryAfterMs = error instanceof WireError ? error.retryAfterMs : undefined;
    return { code: error.code, detail: error.message, retryAfterMs };
  }
  return { code: "ERR_INTERNAL", detail: "internal error" };
}

/** As the peer may read it: a code without a number on the wire stands in the text. */
export function detailForPeer({ code, detail }: Fault): string {
  return ERRORS[code].wire === undefined ? `${code}: ${detail}` : detail;
}

/** True when the session cannot go on after a fault with this code. */
export function endsSession(code: ErrorCode): boolean {
  return ERRORS[code].action === "close";
}

/** The reason with which everything that waits for an ended session fails. */
export function endedError({ code, detail, retryAfterMs }: Fault): WireError {
  const text = `the session has ended: ${code}${detail === "" ? "" : `, ${detail}`}`;
  return new WireError(isWireErrorCode(code) ? code : "ERR_CONNECTION_LOST", text, { retryAfterMs });
}

type EndCode = ConstructorParameters<typeof WireError>[0];

/** The codes of WireError that end sessions; those of other areas are named in the text. */
function isWireErrorCode(code: ErrorCode): code is EndCode {
  const codes: readonly ErrorCode[] = [
    "ERR_FRAME_MALFORMED",
    "ERR_VERSION_UNSUPPORTED",
    "ERR_AUTH_FAILED",
    "ERR_TOO_LARGE",
    "ERR_RATE_LIMITED",
    "ERR_SEQUENCE_GAP",
    "ERR_SUPERSEDED",
    "ERR_GOING_AWAY",
    "ERR_CLOCK_SKEW",
    "ERR_BUSY",
    "ERR_UPLOAD_SLOW",
    "ERR_CONNECTION_LOST",
    "ERR_CANCELLED",
    "ERR_INTERNAL",
  ];
  return codes.includes(code);
}
