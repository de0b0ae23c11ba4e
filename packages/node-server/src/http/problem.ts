import { describeError, type ErrorCode, isErrorCode, PhotinusError } from "@photinus/core/errors";

/** Body of every refusal of the HTTP interface. */
export interface Problem {
  readonly code: ErrorCode;
  /** What was expected and what came. */
  readonly message: string;
  /** What a person does about it. */
  readonly remedy: string;
}

/** Status of a refusal by its code; anything else is the server's own fault. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  ERR_NOT_FOUND: 404,
  ERR_JOB_UNKNOWN: 404,
  ERR_METHOD_NOT_ALLOWED: 405,
  ERR_READ_TOKEN_REFUSED: 401,
  ERR_READ_TOKEN_SCOPE: 403,
  ERR_FORBIDDEN: 403,
  ERR_KIT_REQUIRED: 403,
  ERR_ORIGIN_REFUSED: 403,
  ERR_SIGN_IN_REFUSED: 403,
  ERR_SIGN_IN_EXPIRED: 401,
  ERR_SIGN_IN_UNAVAILABLE: 503,
  ERR_UPGRADE_REFUSED: 426,
  ERR_RATE_LIMITED: 429,
  ERR_BUSY: 503,
  ERR_GOING_AWAY: 503,
};

/** HTTP status of a refusal. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 500;
}

/** The body of a refusal. */
export function problem(code: ErrorCode, message: string): Problem {
  return { code, message, remedy: describeError(code).remedy };
}

/** A refusal as a response: JSON with code, message and remedy. */
export function refuse(
  code: ErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(problem(code, message), {
    status: statusOf(code),
    headers: { "cache-control": "no-store", ...headers },
  });
}

/** An error that refuses a request. */
export type RefusingError = PhotinusError & { readonly code: ErrorCode };

/** True for a refusal; anything else is the server's own fault, which has to be logged. */
export function isRefusal(error: unknown): error is RefusingError {
  return error instanceof PhotinusError && isErrorCode(error.code) && statusOf(error.code) !== 500;
}

/** What a request sees of an error: the refusal that it stands for, never a cause or a stack. */
export function refuseFor(error: unknown): Response {
  return isRefusal(error)
    ? refuse(error.code, error.message)
    : refuse("ERR_INTERNAL", "the server failed to answer this request");
}
