import { HostError, StorageError, WireError } from "@photinus/core/errors";
import { expect, test } from "vitest";
import { exitCodeOf } from "../src/exit-code.ts";
import { terminal } from "../src/terminal.ts";
import { capturedStreams } from "./captured-streams.ts";

function captured(isJson: boolean) {
  const { texts, streams } = capturedStreams();
  return { written: texts, terminal: terminal({ isJson }, streams) };
}

test("prints an error as code, what and remedy", () => {
  const { written, terminal } = captured(false);

  terminal.error(new HostError("ERR_PORT_IN_USE", "port 8080 of 127.0.0.1 is in use"));

  expect(written.out).toBe("");
  expect(written.err).toBe(
    "ERR_PORT_IN_USE port 8080 of 127.0.0.1 is in use\n" +
      "  Remedy: Stop the program that uses the port, or choose another with --port.\n",
  );
});

test("with --json prints one object on standard output and everything else on standard error", () => {
  const { written, terminal } = captured(true);

  terminal.line("[round 1/2]");
  terminal.note("waiting");
  terminal.result({ rounds: 2 });

  expect(JSON.parse(written.out)).toEqual({ rounds: 2 });
  expect(written.err).toBe("[round 1/2]\nwaiting\n");
});

test("with --json prints an error as an object", () => {
  const { written, terminal } = captured(true);

  terminal.error(new HostError("ERR_PORT_IN_USE", "taken"));

  expect(JSON.parse(written.out).error).toMatchObject({ code: "ERR_PORT_IN_USE", message: "taken" });
});

test("lets no text of a peer move the cursor or begin a line of its own", () => {
  const { written, terminal } = captured(false);

  terminal.line("site \u001b[2J\u009b1A evil\nDone: accuracy 1.0");

  expect(written.out).toBe("site �[2J�1A evil�Done: accuracy 1.0\n");
});

test("does not show the local cause of an error", () => {
  const { written, terminal } = captured(true);

  terminal.error(new WireError("ERR_CONNECTION_LOST", "gone", { cause: new Error("secret path") }));

  expect(written.out + written.err).not.toContain("secret path");
});

test.each([
  [new WireError("ERR_CONNECTION_REFUSED", ""), 2],
  [new WireError("ERR_AUTH_FAILED", ""), 2],
  [new HostError("ERR_PORT_IN_USE", ""), 4],
  [new HostError("ERR_CLEAR_NOT_LOOPBACK", ""), 4],
  [new StorageError("ERR_AUDIT_BROKEN", ""), 7],
  [new WireError("ERR_CANCELLED", ""), 130],
  [new WireError("ERR_INTERNAL", ""), 5],
  [new TypeError("a bug"), 5],
])("%s ends with its exit code", (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

test("what goes on stands on the last row of a terminal, below every line, and is taken away at the end", () => {
  const { texts, streams } = capturedStreams();
  const live = terminal({ isJson: false }, { ...streams, err: { ...streams.err, isTTY: true, columns: 12 } });

  live.status("round 1/2 training");
  live.note("a note");
  live.status(undefined);

  expect(texts.err).toBe("\r\u001b[Kround 1/2 t\r\u001b[Ka note\n\r\u001b[Kround 1/2 t\r\u001b[K");
});

test("without a terminal, with --json and with --quiet nothing of what goes on is printed", () => {
  for (const [options, isTTY] of [
    [{ isJson: false }, false],
    [{ isJson: true }, true],
    [{ isJson: false, isQuiet: true }, true],
  ] as const) {
    const { texts, streams } = capturedStreams();

    terminal(options, { ...streams, err: { ...streams.err, isTTY } }).status("round 1/2");

    expect(texts).toEqual({ out: "", err: "" });
  }
});

test("with --quiet notes are left out, results and errors are not", () => {
  const { texts, streams } = capturedStreams();
  const quiet = terminal({ isJson: false, isQuiet: true }, streams);

  quiet.note("advice");
  quiet.line("a result");
  quiet.error(new HostError("ERR_PORT_IN_USE", "taken"));

  expect(texts.out).toBe("a result\n");
  expect(texts.err).toMatch(/^ERR_PORT_IN_USE taken\n/);
});
