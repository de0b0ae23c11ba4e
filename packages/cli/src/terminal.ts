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
  /** An error: code, what and remedy for people, or as the object of `--json`. */
  error(error: unknown): void;
}

/** Streams that a terminal writes to; those of the process but in tests. */
export interface TerminalStreams {
  /** Results: standard output. */
  readonly out: { write(text: string): unknown };
  /** Progress and errors: standard error. */
  readonly err: { write(text: string): unknown };
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
export function terminal(isJson: boolean, streams?: TerminalStreams): Terminal {
  const { out, err } = streams ?? { out: process.stdout, err: process.stderr };
  const write = (stream: { write(text: string): unknown }, text: string): void => {
    stream.write(`${printable(text)}\n`);
  };
  return {
    isJson,
    line: (text) => write(isJson ? err : out, text),
    note: (text) => write(err, text),
    result(value) {
      if (isJson) out.write(`${JSON.stringify(value)}\n`);
    },
    error(error) {
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
