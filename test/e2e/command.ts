import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { ROOT } from "../../scripts/process.ts";

/** A `photinus` command in a process of its own. */
export interface RunningCommand {
  /** What it printed so far, on both streams. */
  readonly output: () => string;
  /** Resolves with the first match in what it prints. @throws Error with what it printed when it ends before */
  readonly said: (pattern: RegExp) => Promise<string>;
  /** Its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Ends it as a service manager does. */
  readonly stop: () => Promise<void>;
}

/** Starts `photinus` with these arguments, from its sources. */
export function startCommand(...args: readonly string[]): RunningCommand {
  const flags = ["--conditions=@photinus/source", "--import", "tsx", "packages/cli/src/cli.ts"];
  const child = spawn(process.execPath, [...flags, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = once(child, "close").then(([code]) => (typeof code === "number" ? code : null));
  return {
    output: () => output,
    ended,
    said: (pattern) => firstMatch(child, pattern, () => output),
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function firstMatch(child: ChildProcess, pattern: RegExp, output: () => string): Promise<string> {
  for (;;) {
    const found = pattern.exec(output())?.[0];
    if (found !== undefined) return found;
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output()}`);
    await Promise.race([
      once(child.stdout ?? child, "data"),
      once(child.stderr ?? child, "data"),
      once(child, "close"),
    ]);
  }
}

/** Runs `photinus` to its end. @returns what it printed. @throws Error when it fails */
export async function runCommand(...args: readonly string[]): Promise<string> {
  const command = startCommand(...args);
  const code = await command.ended;
  if (code !== 0) throw new Error(`photinus ${args.join(" ")} ended with ${code}:\n${command.output()}`);
  return command.output();
}
