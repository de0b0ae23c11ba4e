import { describeError, isErrorCode, PhotinusError } from "@photinus/core/errors";

/** Where a command writes: results on standard output, everything else on standard error. */
export interface Terminal {
  /** True when `--json` was given: one object on standard output, nothing else. */
  readonly isJson: boolean;
  /** A line of the result for people; with `--json` it goes to standard error. */
  line(text: string): void;
  /** A line of progress or advice, on standard error. */
  note(text: string): void;
  /** The result as an object: printed with `--json` only, once, as the last line of standard output. */
  result(value: unknown): void;
  /** One of several objects that come while a command goes on: printed with `--json` only, one a line. */
  event(value: unknown): void;
  /** What goes on at this moment, on the last row of a terminal that a person reads; nowhere else. `undefined` removes it. */
  status(text: string | undefined): void;
  /** An error: code, what and remedy for people, or as the object of `--json`. */
  error(error: unknown): void;
}

/** Streams that a terminal writes to; those of the process but in tests. */
export interface TerminalStreams {
  /** Results: standard output. */
  readonly out: { write(text: string): unknown };
  /** Progress and errors: standard error. */
  readonly err: {
    write(text: string): unknown;
    /** True when a person reads it. */
    readonly isTTY?: boolean;
    /** Its width, where it has one. */
    readonly columns?: number;
  };
}

/** How a command prints. */
export interface TerminalOptions {
  /** One object on standard output, everything else on standard error. */
  readonly isJson: boolean;
  /** Nothing but results and errors. Default: false. */
  readonly isQuiet?: boolean;
}

/** Control characters other than tab: text of peers and files must not move the cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to remove
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

function printable(text: string): string {
  return text.replace(CONTROL, "�");
}

/** What is said of an error: its code of the registry, its message and the remedy. */
export function explain(error: unknown): { code: string; message: string; remedy: string } {
  if (error instanceof PhotinusError && isErrorCode(error.code)) {
    return { code: error.code, message: error.message, remedy: describeError(error.code).remedy };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: "ERR_INTERNAL",
    message,
    remedy: "Set PHOTINUS_DEBUG=1, run it again and report what it prints.",
  };
}

/** A terminal over the streams of the process. */
export function terminal(
  { isJson, isQuiet = false }: TerminalOptions,
  { out, err }: TerminalStreams = { out: process.stdout, err: process.stderr },
): Terminal {
  const isLive = !isJson && !isQuiet && err.isTTY === true;
  let shown = "";
  const status = (text: string): void => {
    if (!isLive || text === shown) return;
    err.write(`\r\u001b[K${text}`);
    shown = text;
  };
  const write = (stream: { write(text: string): unknown }, text: string): void => {
    const kept = shown;
    status("");
    stream.write(`${printable(text)}\n`);
    status(kept);
  };
  return {
    isJson,
    line(text) {
      // With --json a line for people is progress beside the object.
      if (!isJson || !isQuiet) write(isJson ? err : out, text);
    },
    note(text) {
      if (!isQuiet) write(err, text);
    },
    result(value) {
      if (isJson) out.write(`${JSON.stringify(value)}\n`);
    },
    event(value) {
      if (isJson) out.write(`${JSON.stringify(value)}\n`);
    },
    status: (text) => status(printable(text ?? "").slice(0, (err.columns ?? 80) - 1)),
    error(error) {
      status("");
      const { code, message, remedy } = explain(error);
      if (isJson) out.write(`${JSON.stringify({ error: { code, message, remedy } })}\n`);
      write(err, `${code} ${message}`);
      write(err, `  Remedy: ${remedy}`);
      if (code === "ERR_INTERNAL" && error instanceof Error && process.env["PHOTINUS_DEBUG"]) {
        err.write(`${error.stack ?? ""}\n`);
      }
    },
  };
}
