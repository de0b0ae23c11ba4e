import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { main } from "../src/main.ts";
import { capturedStreams } from "./captured-streams.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FLAGS = ["--conditions=@photinus/source", "--import", "tsx", "packages/cli/src/cli.ts"];

/** Sites connect by TLS with certificates on both sides: the default of a project. */
const DEFINITION = `
name: hospital-fl
server: { name: hub, org: central, hosts: [127.0.0.1], port: 8443 }
sites:
  - { name: site-1, org: north }
users: []
`;

interface Command {
  readonly child: ChildProcess;
  readonly text: () => string;
  /** Waits for a line. */
  match(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ends it as a service manager does. @returns its exit code */
  stop(): Promise<number | null>;
}

function photinus(...args: string[]): Command {
  const child = spawn(process.execPath, [...FLAGS, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (more: string) => {
      text += more;
    });
  }
  return {
    child,
    text: () => text,
    async match(pattern) {
      await expect.poll(() => text, { timeout: 30_000 }).toMatch(pattern);
      return pattern.exec(text)!;
    },
    async stop() {
      const ended = once(child, "close");
      child.kill("SIGTERM");
      return (await ended)[0];
    },
  };
}

async function aProject(base: string, name: string): Promise<string> {
  await writeFile(join(base, `${name}.yml`), DEFINITION);
  const { streams } = capturedStreams();
  await main(["provision", "-p", join(base, `${name}.yml`), "-o", join(base, name)], { streams });
  return join(base, name);
}

const kitOf = (project: string, name: string): string[] => [
  ...["--kit", join(project, "kits", name)],
  ...["--passphrase-file", join(project, "secrets", name)],
];

async function metrics(origin: string, ca: string): Promise<string> {
  const [response] = await once(get(`${origin}/metrics`, { ca }), "response");
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return text;
}

test("server and site start from their kits, meet by mutual TLS and stop in order; strangers stay outside", {
  timeout: 60_000,
}, async () => {
  const base = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(base, { recursive: true, force: true }));
  const [project, foreign] = [await aProject(base, "fl"), await aProject(base, "foreign")];
  const data = join(base, "data");
  await mkdir(data);
  await writeFile(join(data, "mnist.json"), "{}");
  const state = join(base, "state");

  const server = photinus(
    "server",
    "start",
    ...kitOf(project, "hub"),
    "--state",
    state,
    "--port",
    "0",
    "--no-pages",
  );
  const [, socketUrl = ""] = await server.match(/Photinus server at (wss:\S+)/);
  const site = photinus("site", "start", ...kitOf(project, "site-1"), "--data", data, "--server", socketUrl);
  const stranger = photinus(
    "site",
    "start",
    ...kitOf(foreign, "site-1"),
    "--data",
    data,
    "--server",
    socketUrl,
  );

  await site.match(/session opened/);
  await stranger.match(/issued by a trusted root/);
  const origin = socketUrl.replace("wss:", "https:").replace(/\/ws$/, "");
  const root = await readFile(join(project, "kits", "hub", "root.pem"), "utf8");
  expect(await metrics(origin, root)).toContain("photinus_sites_connected 1\n");

  expect(await Promise.all([site.stop(), stranger.stop()])).toEqual([0, 0]);
  expect(await server.stop()).toBe(0);
  const { texts, streams } = capturedStreams();
  expect(await main(["audit", "verify", "--state", state, "--json"], { streams })).toBe(0);
  expect(JSON.parse(texts.out)).toMatchObject({ verified: true });
});
