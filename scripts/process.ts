import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The repository's root folder, with a trailing slash. */
export const ROOT: string = fileURLToPath(new URL("../", import.meta.url));

/** How a command is run. */
export interface RunOptions {
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the repository's root. */
  readonly cwd?: string;
  /** What becomes of what it prints: `show` (default), `keep` for the caller, or `both`. */
  readonly output?: "show" | "keep" | "both";
}

/** What a finished command left. */
export interface RunResult {
  /** Exit status; 128 when a signal ended the command. */
  readonly status: number;
  /** What it printed, unless it was only shown. */
  readonly output: string;
}

/**
 * Runs a command without standard input to its end. Colours are for terminals: FORCE_COLOR is dropped, because
 * several tools let it win over a pipe, and NO_COLOR is set where there is no terminal.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { FORCE_COLOR: _, ...inherited } = process.env;
  const { cwd = ROOT, output = "show" } = options;
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: "1" };
  const stream = output === "show" ? "inherit" : "pipe";
  const child = spawn(command, args, {
    cwd,
    env: { ...inherited, ...plain, ...options.env },
    stdio: ["ignore", stream, stream],
  });
  const chunks: Buffer[] = [];
  for (const source of [child.stdout, child.stderr]) {
    source?.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (output === "both") process.stdout.write(chunk);
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      resolve({ status: status ?? 128, output: Buffer.concat(chunks).toString("utf8") });
    });
  });
}

/** Runs a command, keeps what it prints and throws with that when it fails. */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: Omit<RunOptions, "output"> = {},
): Promise<string> {
  const { status, output } = await run(command, args, { ...options, output: "keep" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with status ${status}\n${output}`);
  return output;
}

/** True when the module with this URL is the program that was started, not one that was imported. */
export function isProgram(moduleUrl: string): boolean {
  return process.argv[1] !== undefined && fileURLToPath(moduleUrl) === process.argv[1];
}

/** Ends the process with status 1 and one line on standard error when `main` fails. */
export function runProgram(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  });
}
