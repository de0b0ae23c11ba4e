import { describeError, type ErrorCode, isErrorCode, PhotinusError } from "@photinus/core/errors";

/** What a probe may end with. */
export type Outcome = "ok" | "warning" | "failed" | "skipped";

/** What a probe saw, and what a person does about it. Nothing secret. */
export interface Finding {
  readonly outcome: Outcome;
  /** What was seen. */
  readonly seen: string;
  /** What to do; present in warnings and failures. */
  readonly remedy?: string;
  /** Failures: what it is in the registry of errors; the first decides the exit code. */
  readonly code?: ErrorCode;
}

/** All is as it should be. */
export function ok(seen: string): Finding {
  return { outcome: "ok", seen };
}

/** It works, and will not for ever or not well. */
export function warning(seen: string, remedy: string): Finding {
  return { outcome: "warning", seen, remedy };
}

/** It does not work. @param remedy default: that of the registry */
export function failed(code: ErrorCode, seen: string, remedy: string = describeError(code).remedy): Finding {
  return { outcome: "failed", seen, remedy, code };
}

/** Could not be looked at. */
export function skipped(seen: string): Finding {
  return { outcome: "skipped", seen };
}

/** A failure by an error, whose text is Photinus's own or the system's. */
export function failedBy(error: unknown, otherwise: ErrorCode): Finding {
  const isOurs = error instanceof PhotinusError && isErrorCode(error.code);
  const code = isOurs && isErrorCode(error.code) ? error.code : otherwise;
  return failed(code, error instanceof Error ? error.message : String(error));
}
