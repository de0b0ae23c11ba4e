import type { LogFields, Logger } from "@photinus/core/platform";

/** Keeps every line as text: what an operator would read, and what must hold no secret. */
export class RecordingLogger implements Logger {
  readonly lines: string[] = [];

  debug(message: string, fields?: LogFields): void {
    this.#keep("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#keep("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#keep("warn", message, fields);
  }

  error(message: string, error?: unknown, fields?: LogFields): void {
    const text =
      error instanceof Error ? `${error.stack ?? error.message} ${String(error.cause)}` : String(error);
    this.#keep("error", `${message}: ${text}`, fields);
  }

  #keep(level: string, message: string, fields: LogFields = {}): void {
    this.lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  }
}
