import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/** A demo that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
  /** What it printed so far. */
  readonly texts: { readonly out: string; readonly err: string };
  /** Temporary folder of this run alone. */
  readonly folder: string;
}

/** The demo as a process of its own, as people start it. */
export async function startDemo(...args: string[]): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const flags = ["--conditions=@photinus/source", "--import", "tsx"];
  const child = spawn(process.execPath, [...flags, "packages/cli/src/cli.ts", "demo", ...args], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const texts = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    texts.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    texts.err += text;
  });
  const ended = once(child, "close").then(([code]) => ({ code, ...texts }));
  return { child, ended, texts, folder };
}

/** Process ids of the sites that a demo started, by the system's own book. */
export async function sitesOf(pid: number): Promise<number[]> {
  const sites: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "");
    const command = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    const parent = /^\d+ \(.*\) \S (\d+) /s.exec(stat)?.[1];
    if (Number(parent) === pid && command.includes("site\0start")) sites.push(Number(entry));
  }
  return sites;
}

/** What a run left in its temporary folder, but for the cache of tsx, which runs the sources. Telemetry of ONNX Runtime would show here. */
export async function leftIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.startsWith("tsx-"));
}

/** True while a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
