import { type ErrorCode, isErrorCode, PhotinusError } from "@photinus/core/errors";

/**
 * Exit codes of the command: 0 ok, 1 failed, 2 connection or authentication, 3 timeout, 4 invalid arguments or
 * configuration, 5 internal, 6 denied by policy, 7 integrity failure, 130 interrupted.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 130;

const CONNECTION: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ERR_CONNECTION_REFUSED",
  "ERR_CONNECTION_LOST",
  "ERR_VERSION_UNSUPPORTED",
  "ERR_AUTH_FAILED",
  "ERR_RATE_LIMITED",
  "ERR_BUSY",
  "ERR_UPLOAD_SLOW",
  "ERR_SUPERSEDED",
  "ERR_GOING_AWAY",
  "ERR_CLOCK_SKEW",
  "ERR_TOKEN_EXPIRED",
  "ERR_TOKEN_UNKNOWN",
  "ERR_CERTIFICATE_EXPIRED",
  "ERR_CERTIFICATE_NOT_YET_VALID",
  "ERR_CERTIFICATE_UNTRUSTED",
  "ERR_CERTIFICATE_NAME",
  "ERR_CERTIFICATE_PURPOSE",
  "ERR_KIT_EXPIRED",
  "ERR_KIT_NOT_YET_VALID",
  "ERR_INVITE_REFUSED",
  "ERR_REVOKED",
  "ERR_SERVER_REVOKED",
  "ERR_SUSPENDED",
  "ERR_REQUEST_PENDING",
  "ERR_CRL_MISSING",
  "ERR_CRL_STALE",
  "ERR_CRL_ROLLBACK",
]);

const CONFIGURATION: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ERR_CONFIG_INVALID",
  "ERR_POLICY_INVALID",
  "ERR_PRIVACY_POLICY_INVALID",
  "ERR_PORT_IN_USE",
  "ERR_ADDRESS_UNUSABLE",
  "ERR_CLEAR_NOT_LOOPBACK",
  "ERR_TLS_MODE",
  "ERR_PROJECT_INVALID",
  "ERR_PROJECT_STATE_INVALID",
  "ERR_SERVER_KEYS_MISSING",
  "ERR_REQUEST_DIFFERS",
  "ERR_PARTICIPANT_UNKNOWN",
  "ERR_JOB_INVALID",
  "ERR_MODEL_MALFORMED",
  "ERR_MODEL_TOO_LARGE",
  "ERR_MODEL_EXTERNAL_DATA",
  "ERR_MODEL_OPERATOR",
  "ERR_MODEL_OPSET",
  "ERR_MODEL_PARAMETERS",
  "ERR_MODEL_SHAPE",
  "ERR_JOB_UNKNOWN",
  "ERR_WORKFLOW_UNKNOWN",
  "ERR_KIT_MISSING_FILE",
  "ERR_KIT_UNREADABLE",
  "ERR_KIT_FOREIGN",
  "ERR_KIT_UNEXPECTED_FILE",
  "ERR_KEY_UNREADABLE",
  "ERR_DATA_MISSING",
  "ERR_DATA_MALFORMED",
  "ERR_DEVICE_UNAVAILABLE",
  "ERR_STORAGE_VERSION",
]);

const INTEGRITY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ERR_AUDIT_BROKEN",
  "ERR_STORAGE_CORRUPT",
  "ERR_SEEN_OBJECTS_CORRUPT",
  "ERR_DIGEST_MISMATCH",
  "ERR_CHECKPOINT_UNREADABLE",
  "ERR_KIT_FILE_CHANGED",
  "ERR_KIT_FILE_SWAPPED",
  "ERR_KIT_MANIFEST_INVALID",
  "ERR_CERTIFICATE_SIGNATURE",
  "ERR_ENVELOPE_SIGNATURE_INVALID",
]);

const DENIED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ERR_FORBIDDEN",
  "ERR_REQUEST_DENIED",
  "ERR_QUOTA_EXCEEDED",
  "ERR_FILTER_REFUSED",
  "ERR_PRIVACY_BUDGET",
]);

const TIMEOUT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ERR_TIMED_OUT",
  "ERR_TASK_TIMEOUT",
  "ERR_JOB_TOO_FEW_SITES",
]);

/** Exit code that stands for a code of the registry. */
export function exitCodeOfCode(code: ErrorCode): ExitCode {
  if (code === "ERR_CANCELLED") return 130;
  if (DENIED.has(code)) return 6;
  if (code === "ERR_INTERNAL") return 5;
  if (CONNECTION.has(code)) return 2;
  if (TIMEOUT.has(code)) return 3;
  if (CONFIGURATION.has(code)) return 4;
  return INTEGRITY.has(code) ? 7 : 1;
}

/** Exit code that an error ends the command with. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ReportedFailure) return error.exitCode;
  return error instanceof PhotinusError && isErrorCode(error.code) ? exitCodeOfCode(error.code) : 5;
}

/** A command has failed and said why: nothing is left to print. */
export class ReportedFailure extends Error {
  /** What the command ends with. */
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode) {
    super(`ended with ${exitCode}`);
    this.exitCode = exitCode;
  }
}
