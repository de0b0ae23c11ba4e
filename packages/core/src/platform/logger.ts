/** Facts beside a log line. Never secrets, keys or payloads. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Where log lines go. */
export interface Logger {
  /** For whoever looks for a fault. */
  debug(message: string, fields?: LogFields): void;
  /** What an operator wants to see. */
  info(message: string, fields?: LogFields): void;
  /** What an operator should look at; the work goes on. */
  warn(message: string, fields?: LogFields): void;
  /** `error` is logged with its code and local cause. */
  error(message: string, error?: unknown, fields?: LogFields): void;
}

const ignore = (): void => undefined;

/** Drops every line. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
