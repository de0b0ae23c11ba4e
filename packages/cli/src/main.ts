import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import type { CommandContext, CommandHost } from "./context.ts";
import { type ExitCode, exitCodeOf, ReportedFailure } from "./exit-code.ts";
import { interruption } from "./interruption.ts";
import { createProgram } from "./program.ts";
import { type Terminal, type TerminalOptions, type TerminalStreams, terminal } from "./terminal.ts";

/** Options of {@link main}. */
export interface MainOptions extends CommandHost {
  /** Default: the streams of the process. */
  readonly streams?: TerminalStreams;
}

/** The pages that `@photinus/web-client` ships, where they were built. */
function pagesOfInstallation(): Promise<string> | undefined {
  const folder = fileURLToPath(new URL("../dist/app/", import.meta.resolve("@photinus/web-client")));
  return existsSync(join(folder, "index.html")) ? Promise.resolve(folder) : undefined;
}

/** Invalid arguments were explained by commander already; `--help` and `--version` are no failures. */
function exitCodeOfParser(error: CommanderError): ExitCode {
  return error.exitCode === 0 ? 0 : 4;
}

/**
 * Runs one command.
 * @param args without the program's own name, e.g. `["demo", "--rounds", "5"]`
 * @returns the exit code; nothing is thrown
 */
export async function main(args: readonly string[], options: MainOptions = {}): Promise<ExitCode> {
  const stop = interruption();
  let current: Terminal = terminal({ isJson: args.includes("--json") }, options.streams);
  const createContext = (given: TerminalOptions): CommandContext => {
    current = terminal(given, options.streams);
    return {
      terminal: current,
      signal: stop.signal,
      onHangup: (handler) => stop.onHangup(handler),
      pages: options.pages ?? pagesOfInstallation,
    };
  };
  try {
    await createProgram(createContext, options.streams).parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return exitCodeOfParser(error);
    // A command that was interrupted failed of that, whatever it threw on its way out.
    if (stop.signal.aborted) return 130;
    if (!(error instanceof ReportedFailure)) current.error(error);
    return exitCodeOf(error);
  } finally {
    stop.release();
  }
}
