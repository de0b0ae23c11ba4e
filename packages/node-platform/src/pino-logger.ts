import { PhotinusError } from "@photinus/core/errors";
import type { LogFields, Logger } from "@photinus/core/platform";
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from "pino";

/** Names of fields whose values never reach a log, whoever passes them. */
const SECRET_FIELDS = [
  "authorization",
  "cookie",
  "credential",
  "invite",
  "inviteCode",
  "key",
  "passphrase",
  "password",
  "privateKey",
  "secret",
  "token",
] as const;

/** Causes of an error that are logged; a longer chain is cut. */
const MAX_CAUSES = 5;

/** Options of {@link pinoLogger}. */
export interface PinoLoggerOptions {
  /** Lowest level that is written. Default "info". */
  readonly level?: "debug" | "info" | "warn" | "error" | "silent";
  /** Name of the host, in every line. */
  readonly name?: string;
  /** Where lines go, as JSON. Default: standard error, because standard output belongs to results. */
  readonly stream?: DestinationStream;
}

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly errorCode?: string;
  readonly stack?: string;
}

function describe(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  return {
    type: error.name,
    message: error.message,
    ...(error instanceof PhotinusError ? { errorCode: error.code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
  };
}

/** The error and what led to it, outermost first. */
function chainOf(error: unknown): readonly LoggedError[] {
  const chain: LoggedError[] = [];
  let next = error;
  while (next !== undefined && chain.length < MAX_CAUSES) {
    chain.push(describe(next));
    next = next instanceof Error ? next.cause : undefined;
  }
  return chain;
}

function adapt(log: PinoLogger): Logger {
  return {
    debug: (message, fields) => log.debug({ ...fields }, message),
    info: (message, fields) => log.info({ ...fields }, message),
    warn: (message, fields) => log.warn({ ...fields }, message),
    error(message, error?: unknown, fields?: LogFields) {
      const [first, ...causes] = chainOf(error);
      log.error({ ...fields, ...(first ? { error: first } : {}), ...(causes[0] ? { causes } : {}) }, message);
    },
  };
}

/** Writes log lines as JSON by pino. Values of fields with secret names are replaced. */
export function pinoLogger(options: PinoLoggerOptions = {}): Logger {
  const stream = options.stream ?? destination({ fd: 2, sync: true });
  const log = pino(
    {
      level: options.level ?? "info",
      ...(options.name === undefined ? {} : { name: options.name }),
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: "[redacted]" },
    },
    stream,
  );
  return adapt(log);
}
