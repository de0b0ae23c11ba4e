export type { CommandHost } from "./context.ts";
export { type ExitCode, exitCodeOf } from "./exit-code.ts";
export { type MainOptions, main } from "./main.ts";
export type { TerminalStreams } from "./terminal.ts";
