import type { Terminal } from "./terminal.ts";

/** Prints an object as people read JSON, or as the result of `--json`. */
export function printDocument(document: object, terminal: Terminal): void {
  if (!terminal.isJson) {
    for (const line of JSON.stringify(document, undefined, 2).split("\n")) terminal.line(line);
  }
  terminal.result(document);
}
