import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { ProvisionedProject } from "@photinus/core/provision";
import { openHostKit, systemClock } from "@photinus/node-platform";
import { beforeAll, expect, test } from "vitest";
import { connectProxy } from "../../../node-platform/test/connect-proxy.ts";
import { listen, portOf } from "../../../node-platform/test/loopback.ts";
import { tlsMaterial } from "../../../node-platform/test/tls-material.ts";
import { aKitFolder, aProject, aServer, checked, kitOf } from "./a-checked-kit.ts";

let project: ProvisionedProject;
beforeAll(async () => {
  project = await aProject();
});

const HOUR_MS = 3_600_000;
const clockOff = (offsetMs: number) => {
  const clock = systemClock();
  return { ...clock, now: () => clock.now() + offsetMs, after: clock.after.bind(clock) };
};
const options = async (way: "mtls" | "tls" | "clear") => await aKitFolder(kitOf(project, `by-${way}`));
const ofServer = async () => await openHostKit(kitOf(project, "hub").files, kitOf(project, "hub").secret);

/** A server of HTTP that takes no WebSocket: without a listener for upgrades Node hands them on as plain requests. */
async function aWebServer(handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  return `ws://127.0.0.1:${portOf(await listen(server))}/ws`;
}

test.each(["mtls", "tls"] as const)("the way of %s is open from the name to WELCOME", async (way) => {
  const server = await aServer(project, "tls");

  const { exit, outcomes, finding } = await checked({ ...(await options(way)), server, idle: 1 });

  expect(exit).toBe(0);
  const steps = [
    "kit",
    "certificate",
    "mode",
    "dns",
    "tcp",
    "tls",
    "http",
    "upgrade",
    "login",
    "clock",
    "idle",
  ];
  expect(outcomes(...steps)).toEqual(steps.map(() => "ok"));
  expect(finding("login")?.seen).toContain("admitted by hub");
});

test("without a secret all but the login is looked at, and nothing secret is said", async () => {
  const server = await aServer(project, "tls");
  const { kit } = await options("tls");

  const { exit, outcomes, text } = await checked({ kit, server });

  expect(exit).toBe(0);
  expect(outcomes("certificate", "upgrade", "login")).toEqual(["skipped", "ok", "skipped"]);
  expect(text).not.toContain(kitOf(project, "by-tls").secret);
});

test("a port at which nothing listens ends the way at tcp, with 2 and a remedy", async () => {
  const closed = await listen();
  const port = portOf(closed);
  closed.close();

  const { exit, outcomes, finding } = await checked({
    ...(await options("tls")),
    server: `wss://127.0.0.1:${port}/ws`,
  });

  expect(exit).toBe(2);
  expect(outcomes("dns", "tcp", "tls", "login")).toEqual(["ok", "failed", "skipped", "skipped"]);
  expect(finding("tcp")).toMatchObject({ remedy: expect.stringContaining("Start the server") });
});

test("a name that nobody knows ends the way at dns", async () => {
  const server = "wss://photinus.invalid:8443/ws";

  const { exit, outcomes } = await checked({ ...(await options("tls")), server });

  expect(exit).toBe(2);
  expect(outcomes("dns", "tcp")).toEqual(["failed", "skipped"]);
});

test("an address of another mode than the kit's is not even tried", async () => {
  const { exit, outcomes, finding } = await checked({
    ...(await options("mtls")),
    server: "ws://127.0.0.1:1/ws",
  });

  expect(exit).toBe(4);
  expect(finding("mode")?.code).toBe("ERR_TLS_MODE");
  expect(outcomes("tcp")).toEqual(["skipped"]);
});

test("a port that speaks clear is told apart from one of TLS", async () => {
  const clear = await aWebServer((_request, response) => response.end());

  const { finding } = await checked({ ...(await options("tls")), server: clear.replace("ws:", "wss:") });

  expect(finding("tls")).toMatchObject({ outcome: "failed", seen: expect.stringContaining("speak TLS") });
});

test.each([
  [
    "another root",
    "trusted root",
    async () => await (await tlsMaterial()).issue("server", "hub", ["127.0.0.1"]),
  ],
])("a certificate of %s is named, with a remedy", async (_case, text, certificate) => {
  const { certificate: cert, privateKey: key } = await certificate();
  const server = await listen(createSecureServer({ cert, key }));

  const { exit, finding } = await checked({
    ...(await options("tls")),
    server: `wss://127.0.0.1:${portOf(server)}/ws`,
  });

  expect(exit).toBe(2);
  expect(finding("tls")).toMatchObject({ seen: expect.stringContaining(text), remedy: expect.any(String) });
});

test("a certificate for another name is named", async () => {
  const { tls } = await ofServer();
  const server = await listen(createSecureServer({ cert: tls.certificate, key: tls.privateKey }));

  const { finding } = await checked({
    ...(await options("tls")),
    server: `wss://localhost:${portOf(server)}/ws`,
  });

  expect(finding("tls")).toMatchObject({
    outcome: "failed",
    seen: expect.stringContaining("for another name"),
    remedy: expect.stringContaining("Put the name into the certificate"),
  });
});

test("where TLS itself demands a certificate of other roots, one who brings none of theirs learns it", async () => {
  const { tls, kit } = await ofServer();
  const secure = createSecureServer({
    ...{ cert: tls.certificate, key: tls.privateKey, requestCert: true, rejectUnauthorized: true },
  });
  const server = `wss://127.0.0.1:${portOf(await listen(secure))}/ws`;

  const { exit, finding } = await checked({ ...(await options("tls")), server });

  expect(kit.configuration.role).toBe("server");
  expect(exit).toBe(2);
  const broken = [finding("tls"), finding("http")].find((each) => each?.outcome === "failed");
  expect(broken?.seen).toMatch(/certificate/i);
});

test.each<readonly [string, RequestListener, string]>([
  ["HTTP 200 instead of 101", (_, response) => response.end("hello"), "check the proxy's Upgrade headers"],
  ["HTTP 426", (_, response) => response.writeHead(426).end(), "check the proxy's Upgrade headers"],
  ["HTTP 403", (_, response) => response.writeHead(403).end(), "proxy or firewall"],
  ["a redirect", (_, response) => response.writeHead(301, { location: "/" }).end(), "use the final address"],
  [
    "a page of a proxy",
    (_, response) =>
      response.writeHead(502, { "content-type": "text/html", server: "nginx/1.22.1" }).end("<h1>"),
    "with a page of nginx/1.22.1: the proxy there does not reach the server behind it",
  ],
])("%s is no upgrade, and what it means is said", async (_case, handle, text) => {
  const server = await aWebServer(handle);

  const { exit, finding } = await checked({ ...(await options("clear")), server });

  expect(exit).toBe(2);
  expect(finding("upgrade")).toMatchObject({ outcome: "failed", seen: expect.stringContaining(text) });
});

test("a clock an hour ahead is refused by the server's word, and named", async () => {
  const server = await aServer(project, "tls");

  const { exit, finding } = await checked(
    { ...(await options("tls")), server },
    { clock: clockOff(HOUR_MS) },
  );

  expect(exit).toBe(2);
  expect(finding("login")?.code).toBe("ERR_CLOCK_SKEW");
  expect(finding("clock")).toMatchObject({
    code: "ERR_CLOCK_SKEW",
    seen: expect.stringMatching(/^3(599|600|601) s ahead/),
  });
});

test("a clock an hour behind makes a kit that is not valid yet, and is named by what HTTP says", async () => {
  const server = await aServer(project, "tls");

  const { finding } = await checked({ ...(await options("tls")), server }, { clock: clockOff(-HOUR_MS) });

  expect(finding("kit")?.code).toBe("ERR_KIT_NOT_YET_VALID");
  expect(finding("clock")).toMatchObject({
    outcome: "failed",
    seen: expect.stringContaining("behind the server, by HTTP"),
  });
});

test("a clock two minutes off is warned of", async () => {
  const server = await aServer(project, "tls");

  const { exit, finding } = await checked(
    { ...(await options("tls")), server },
    { clock: clockOff(120_000) },
  );

  expect(exit).toBe(0);
  expect(finding("clock")).toMatchObject({
    outcome: "warning",
    remedy: expect.stringContaining("Set the clock"),
  });
});

test("a proxy on the way is used, and what it wants is said without its password", async () => {
  const server = await aServer(project, "tls");
  const { port, asked } = await connectProxy({ credentials: "anna:secret-word" });
  const at = (user: string) => `http://${user}127.0.0.1:${port}`;
  const kit = await options("tls");

  const open = await checked({ ...kit, server, proxy: at("anna:secret-word@") });
  const none = await checked({ ...kit, server, proxy: at("") });
  const wrong = await checked({ ...kit, server, proxy: at("anna:wrong-word@") });

  expect([open.exit, none.exit, wrong.exit]).toEqual([0, 2, 2]);
  expect(open.outcomes("tcp", "tls", "http", "upgrade", "login")).toEqual(["ok", "ok", "ok", "ok", "ok"]);
  expect(new Set(asked)).toEqual(new Set([new URL(server).host]));
  expect(none.finding("tcp")?.seen).toContain("wants a name and a password");
  expect(wrong.finding("tcp")?.seen).toContain("does not accept");
  expect(open.text + none.text + wrong.text).not.toMatch(/(secret|wrong)-word/);
});

test("a session that something on the way ends is told from one that lives", async () => {
  const server = await aServer(project, "clear");
  const kit = await options("clear");

  const { exit, finding } = await checked({ ...kit, server, idle: 1 });

  expect(exit).toBe(0);
  expect(finding("idle")?.seen).toBe("alive after 1 s");
});
