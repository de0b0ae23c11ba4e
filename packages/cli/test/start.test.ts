import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
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
  // The session is there before the site has announced itself.
  await expect
    .poll(() => metrics(origin, root), { timeout: 10_000 })
    .toContain("photinus_sites_connected 1\n");

  const second = capturedStreams();
  const again = [...kitOf(project, "site-1"), "--data", data, "--server", socketUrl];
  expect(await main(["site", "start", ...again], { streams: second.streams })).toBe(1);
  expect(second.texts.err).toMatch(/ERR_STORAGE_UNAVAILABLE another process uses .*Remedy: Check the disk/s);

  expect(await Promise.all([site.stop(), stranger.stop()])).toEqual([0, 0]);
  expect(await server.stop()).toBe(0);
  const { texts, streams } = capturedStreams();
  expect(await main(["audit", "verify", "--state", state, "--json"], { streams })).toBe(0);
  expect(JSON.parse(texts.out)).toMatchObject({ verified: true });
});

/** Speaks TLS to a port after some clear text, as a proxy does. @returns the first line of the answer; empty: cut */
async function healthBehind(header: string, port: number, ca: string): Promise<string> {
  const line = connect(port, "127.0.0.1");
  line.on("error", () => undefined);
  await once(line, "connect");
  line.write(header);
  const secured = connectTls({ socket: line, ca, host: "127.0.0.1" });
  secured.on("error", () => undefined);
  secured.write("GET /healthz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n");
  return await new Promise((resolve) => {
    secured.once("data", (data) => resolve(String(data).split("\r\n")[0] ?? ""));
    secured.once("close", () => resolve(""));
  });
}

test("a server behind a proxy that speaks the PROXY protocol takes nothing from it without a header", {
  timeout: 60_000,
}, async () => {
  const base = await mkdtemp(join(tmpdir(), "photinus-cli-"));
  onTestFinished(() => rm(base, { recursive: true, force: true }));
  const project = await aProject(base, "project");
  const tokenFile = join(base, "token");
  await writeFile(tokenFile, "of before, for everybody", { mode: 0o644 });
  const server = photinus(
    ...["server", "start", "--port", "0", "--no-pages", "--state", join(base, "state")],
    ...["--reconnect-grace", "30", "--token-file", tokenFile],
    ...kitOf(project, "hub"),
    ...["--trusted-proxy", "192.0.2.1", "--trusted-proxy", "127.0.0.1", "--proxy-protocol"],
  );
  const [, port = ""] = await server.match(/wss:\/\/127\.0\.0\.1:(\d+)\/ws/);
  const ca = await readFile(join(project, "kits", "hub", "root.pem"), "utf8");

  const header = "PROXY TCP4 203.0.113.1 203.0.113.2 1000 443\r\n";
  expect(await healthBehind(header, Number(port), ca)).toContain("200");
  expect(await healthBehind("", Number(port), ca)).toBe("");

  expect(await server.stop()).toBe(0);
  expect((await stat(tokenFile)).mode & 0o777).toBe(0o600);
});
