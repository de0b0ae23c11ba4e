import type { Command } from "commander";
import type { Terminal } from "./terminal.ts";

/** What every command gets beside its own options. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Aborted when the command shall stop. */
  readonly signal: AbortSignal;
  /** From now on SIGHUP does this instead of stopping the command. */
  readonly onHangup: (handler: () => void) => void;
  /** Folder of the built pages, made when it is asked for; `undefined` when this installation has none. */
  readonly pages: () => Promise<string> | undefined;
}

/** What a host program may replace. */
export interface CommandHost {
  /** Builds the pages and tells their folder. Default: those that `@photinus/web-client` ships. */
  readonly pages?: () => Promise<string>;
}

/** The context of a command as commander parsed it. */
export type ContextOf = (command: Command) => CommandContext;
