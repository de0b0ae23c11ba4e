import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
  /** Temporary folder of this run alone. */
  readonly folder: string;
}

/** The demo as a process of its own, as people start it. */
async function startDemo(...args: string[]): Promise<Running> {
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
  return { child, ended, folder };
}

/** Process ids of the sites that a demo started, by the system's own book. */
async function sitesOf(pid: number): Promise<number[]> {
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
async function leftIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.startsWith("tsx-"));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("--json prints the report as the last line and leaves nothing behind", async () => {
  const { ended, folder } = await startDemo(
    "--json",
    "--rounds",
    "2",
    "--sites",
    "2",
    "--model",
    "mlp",
    "--port",
    "0",
  );

  const { code, out, err } = await ended;

  expect(code, err).toBe(0);
  const report = JSON.parse(out.trim().split("\n").at(-1)!);
  expect(report).toMatchObject({ rounds: 2, sites: 2, audit: { verified: true } });
  expect(Object.keys(report)).toEqual([
    "rounds",
    "sites",
    "accuracy",
    "loss",
    "seconds",
    "secondsToFirstRound",
    "bytesUp",
    "bytesDown",
    "audit",
  ]);
  expect(report.accuracy).toBeGreaterThan(0.6);
  expect(report.audit.records).toBeGreaterThan(10);
  // Two updates and more than two models of 814 120 bytes a round: nothing was counted twice or left out.
  expect(report.bytesUp).toBeGreaterThanOrEqual(4 * 814_120);
  expect(report.bytesUp).toBeLessThan(4.2 * 814_120);
  expect(
    err.match(/^\[round \d\/2\] 2 sites {2}2 accepted {2}0 refused {2}accuracy 0\.\d{3}/gm),
  ).toHaveLength(2);
  expect(await leftIn(folder)).toEqual([]);
});

test.runIf(process.platform === "linux")("Ctrl-C stops every process and removes every file", async () => {
  const { child, ended, folder } = await startDemo(
    "--rounds",
    "1000",
    "--sites",
    "2",
    "--model",
    "mlp",
    "--port",
    "0",
  );
  await once(child.stdout!, "data");
  await expect.poll(() => sitesOf(child.pid!), { timeout: 10_000 }).toHaveLength(2);
  const sites = await sitesOf(child.pid!);

  child.kill("SIGINT");
  const { code } = await ended;

  expect(code).toBe(130);
  expect(sites.filter(isAlive)).toEqual([]);
  expect(await leftIn(folder)).toEqual([]);
});

test.runIf(process.platform === "linux")("sites end with a demo that is killed outright", async () => {
  const { child, ended } = await startDemo(
    "--rounds",
    "1000",
    "--sites",
    "2",
    "--model",
    "mlp",
    "--port",
    "0",
  );
  await once(child.stdout!, "data");
  await expect.poll(() => sitesOf(child.pid!), { timeout: 10_000 }).toHaveLength(2);
  const sites = await sitesOf(child.pid!);

  child.kill("SIGKILL");
  await ended;

  await expect.poll(() => sites.filter(isAlive), { timeout: 10_000 }).toEqual([]);
});

test.runIf(process.platform === "linux")("a site that dies ends the demo with its name", async () => {
  const { child, ended } = await startDemo(
    "--rounds",
    "1000",
    "--sites",
    "2",
    "--model",
    "mlp",
    "--port",
    "0",
  );
  await once(child.stdout!, "data");
  await expect.poll(() => sitesOf(child.pid!), { timeout: 10_000 }).toHaveLength(2);

  process.kill((await sitesOf(child.pid!))[0]!, "SIGKILL");
  const { code, err } = await ended;

  expect(code).toBe(1);
  expect(err).toMatch(/^ERR_TRAINER_LOST site site-\d ended/m);
});
