import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Options of {@link startDemo}. */
export interface DemoSettings {
  readonly rounds: number;
  readonly sites: number;
  readonly model: "mlp" | "cnn";
}

/** `photinus demo` as a person starts it, in a process of its own. */
export interface RunningDemo {
  /** Link to the dashboard with a token. */
  readonly dashboard: string;
  /** Link by which a page joins. */
  readonly join: string;
  /** What it printed so far. */
  readonly output: () => string;
  /** Ends it as Ctrl-C does. @returns its exit code */
  readonly stop: () => Promise<number | null>;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Starts the demo and waits until it printed its links. */
export async function startDemo({ rounds, sites, model }: DemoSettings): Promise<RunningDemo> {
  const args = [
    "--rounds",
    rounds,
    "--sites",
    sites,
    "--model",
    model,
    "--port",
    await freePort(),
    "--no-open",
  ];
  const child = spawn(
    process.execPath,
    [
      "--conditions=@photinus/source",
      "--import",
      "tsx",
      join(ROOT, "packages/cli/src/cli.ts"),
      "demo",
      ...args.map(String),
    ],
    { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
  };
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  const links = await waitForLinks(child, () => output);
  return { ...links, output: () => output, stop: () => stop(child) };
}

async function waitForLinks(
  child: ChildProcess,
  output: () => string,
): Promise<{ readonly dashboard: string; readonly join: string }> {
  for (;;) {
    const dashboard = /https?:\/\/\S+\/#token=\S+/.exec(output())?.[0];
    const link = /https?:\/\/\S+\/join#\S+/.exec(output())?.[0];
    if (dashboard !== undefined && link !== undefined) return { dashboard, join: link };
    if (child.exitCode !== null) throw new Error(`the demo ended with ${child.exitCode}:\n${output()}`);
    await Promise.race([
      once(child.stdout ?? child, "data"),
      once(child.stderr ?? child, "data"),
      once(child, "exit"),
    ]);
  }
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGINT");
    await once(child, "exit");
  }
  return child.exitCode;
}
