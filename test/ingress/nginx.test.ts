import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import { connect } from "@photinus/core/console";
import { WireError } from "@photinus/core/errors";
import type { ProvisionedProject } from "@photinus/core/provision";
import {
  type KitOfHost,
  nodeCrypto,
  openHostKit,
  pem,
  SUBPROTOCOL,
  systemClock,
  webSocketConnection,
  webSocketConnector,
} from "@photinus/node-platform";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import {
  aKitFolder,
  aProject,
  aServer,
  checked,
  kitOf,
} from "../../packages/cli/test/check/a-checked-kit.ts";
import { tlsMaterial } from "../../packages/node-platform/test/tls-material.ts";
import { aHost } from "../../packages/node-server/test/http/host.ts";
import { runningNginx } from "./running-nginx.ts";
import type { NginxOptions, RunningNginx } from "./start-nginx.ts";

const [crypto, clock] = [nodeCrypto(), systemClock()];
const never = new AbortController().signal;
const PROXY = { trustedProxies: ["127.0.0.1"] };
let project: ProvisionedProject;
let files: Readonly<Record<string, string>>;

beforeAll(async () => {
  project = await aProject(["127.0.0.1", "fl.example.org", "sites.example.org"]);
  const { tls, kit } = await opened("hub");
  files = {
    "fullchain.pem": tls.certificate,
    "privkey.pem": tls.privateKey,
    "root.pem": pem("CERTIFICATE", kit.root.der),
    "root.crl": new TextDecoder().decode(project.root.revocationListPem),
  };
});

async function opened(name: string): Promise<KitOfHost> {
  const { files: own, secret } = kitOf(project, name);
  return await openHostKit(own, secret);
}

const portOf = (url: string): number => Number(new URL(url).port);
const nginx = (
  configuration: NginxOptions["configuration"],
  server: string,
  edit: (text: string) => string = (text) => text,
): Promise<RunningNginx> => runningNginx({ configuration, upstream: portOf(server), files, edit });

/** Takes lines out of a configuration, as somebody forgets them. */
const without = (pattern: RegExp) => (text: string) =>
  text
    .split("\n")
    .filter((line) => !pattern.test(line))
    .join("\n");

interface Login {
  readonly port: number;
  /** Whose kit. */
  readonly as: string;
  /** Whose certificate TLS presents; absent: none. */
  readonly inTls?: string;
  /** Name asked for by SNI. */
  readonly name?: string;
}

async function loggedIn({ port, as, inTls, name = "fl.example.org" }: Login) {
  const { kit } = await opened(as);
  const { root } = kit;
  const certificate = inTls === undefined ? undefined : (await opened(inTls)).tls;
  // Written out, as no resolver knows the name: nginx wants the same in SNI and Host.
  const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, [SUBPROTOCOL], {
    ...{ servername: name, headers: { Host: name }, ca: pem("CERTIFICATE", root.der) },
    ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.privateKey }),
  });
  const connector = {
    async connect() {
      await once(socket, "open").catch(() => {
        throw new WireError("ERR_CONNECTION_REFUSED", "no WebSocket");
      });
      return webSocketConnection(socket, { isClient: true });
    },
  };
  const federation = await connect({ kit, transport: { connector, clock, crypto } });
  onTestFinished(() => federation.close());
  return federation;
}

const login = (options: Login): Promise<string> =>
  loggedIn(options).then(
    () => "admitted",
    (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error)),
  );

/** Headers by which somebody claims to be by-mtls, at an address of his choice. */
async function forged(): Promise<Readonly<Record<string, string>>> {
  const { tls } = await opened("by-mtls");
  return {
    "X-Forwarded-For": "6.6.6.6",
    Forwarded: "for=6.6.6.6",
    "X-SSL-Client-Verify": "SUCCESS",
    "X-SSL-Client-Cert": encodeURIComponent(tls.certificate),
  };
}

test("an ingress that ends TLS leads tls to the server, and mtls is refused there", async () => {
  const { port } = await nginx("tls-termination", await aServer(project, "clear", PROXY));

  expect(await login({ port, as: "by-tls" })).toBe("admitted");
  expect(await login({ port, as: "by-mtls", inTls: "by-mtls" })).toBe("ERR_TLS_MODE");
});

test("headers of an identity that a client invents do not come through the ingress", async () => {
  const host = await aHost(PROXY);
  const { port } = await nginx("tls-termination", host.socketUrl);

  const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, [SUBPROTOCOL], {
    ca: files["root.pem"],
    headers: await forged(),
  });
  await once(socket, "open");
  socket.terminate();

  expect(host.federation.connections[0]?.remoteAddress).toBe("127.0.0.1");
  expect(host.federation.peers).toEqual([{ tlsLeaf: undefined, forwardedLeaf: undefined }]);
});

test("where the ingress forgets to overwrite them, they admit nobody all the same", async () => {
  const careless = without(/X-SSL-Client|X-Forwarded-For/);
  const { port } = await nginx("tls-termination", await aServer(project, "clear", PROXY), careless);
  const headers = await forged();

  const { kit } = await opened("by-mtls");
  const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, [SUBPROTOCOL], {
    ca: files["root.pem"],
    headers,
  });
  await once(socket, "open");
  const connector = { connect: async () => webSocketConnection(socket, { isClient: true }) };

  await expect(connect({ kit, transport: { connector, clock, crypto } })).rejects.toMatchObject({
    code: "ERR_TLS_MODE",
  });
});

test("an ingress without the Upgrade headers is diagnosed", async () => {
  const careless = without(/proxy_set_header (Upgrade|Connection)/);
  const { port } = await nginx("tls-termination", await aServer(project, "clear", PROXY), careless);

  const { exit, finding } = await checked({
    ...(await aKitFolder(kitOf(project, "by-tls"))),
    server: `wss://127.0.0.1:${port}/ws`,
  });

  expect(exit).toBe(2);
  expect(finding("upgrade")).toMatchObject({
    outcome: "failed",
    seen: expect.stringMatching(/HTTP (200|426).*check the proxy's Upgrade headers/),
    remedy: expect.stringContaining("proxy_http_version 1.1"),
  });
});

test("an ingress whose server is down is diagnosed", async () => {
  const { port } = await nginx("tls-termination", "ws://127.0.0.1:1/ws");

  const { finding } = await checked({
    ...(await aKitFolder(kitOf(project, "by-tls"))),
    server: `wss://127.0.0.1:${port}/ws`,
  });

  expect(finding("upgrade")?.seen).toMatch(/HTTP 502 with a page of nginx.*does not reach the server/);
});

const impatient = (text: string): string => text.replaceAll("_read_timeout 3600s", "_read_timeout 1s");

test("an idle session lives where the server speaks more often than the ingress waits", async () => {
  const sessions = { timings: { heartbeatMs: 250 } };
  const { port } = await nginx(
    "tls-termination",
    await aServer(project, "clear", { ...PROXY, sessions }),
    impatient,
  );

  const { finding } = await checked({
    ...(await aKitFolder(kitOf(project, "by-tls"))),
    ...{ server: `wss://127.0.0.1:${port}/ws`, idle: 3 },
  });

  expect(finding("idle")).toMatchObject({ outcome: "ok", seen: "alive after 3 s" });
});

test("an idle session that the ingress ends is diagnosed", async () => {
  const { port } = await nginx("tls-termination", await aServer(project, "clear", PROXY), impatient);

  const { exit, finding } = await checked({
    ...(await aKitFolder(kitOf(project, "by-tls"))),
    ...{ server: `wss://127.0.0.1:${port}/ws`, idle: 10 },
  });

  expect(exit).toBe(2);
  expect(finding("idle")).toMatchObject({
    outcome: "failed",
    seen: expect.stringMatching(/^ended after [0-3]\.\d s: ERR_CONNECTION_LOST/),
    remedy: expect.stringContaining("proxy_read_timeout 3600s"),
  });
});

test("a reload of the ingress drops no socket, and new ones see the new certificate", async () => {
  const host = await aHost(PROXY);
  const ingress = await nginx("tls-termination", host.socketUrl);
  const options = { url: `wss://127.0.0.1:${ingress.port}/ws`, ca: [files["root.pem"] ?? ""] };
  const before = await webSocketConnector(options).connect(never);
  const renewed = await (await tlsMaterial()).issue("server", "hub", ["fl.example.org"]);

  await ingress.reload({ "fullchain.pem": renewed.certificate, "privkey.pem": renewed.privateKey });

  const presented = async (): Promise<string | undefined> => {
    const options = { port: ingress.port, host: "127.0.0.1", rejectUnauthorized: false };
    const socket = connectTls({ ...options, servername: "fl.example.org" });
    await once(socket, "secureConnect");
    const certificate = socket.getPeerX509Certificate()?.toString();
    socket.destroy();
    return certificate;
  };
  await expect.poll(presented, { timeout: 10_000 }).toBe(renewed.certificate);
  before.send(Uint8Array.of(7));
  const { value } = await host.federation.connections[0]!.frames[Symbol.asyncIterator]().next();
  expect(value).toEqual(Uint8Array.of(7));
});

test("an ingress that passes TLS through admits the right site by mtls, and no other", async () => {
  const { port } = await nginx(
    "pass-through",
    await aServer(project, "tls", { ...PROXY, proxyProtocol: true }),
  );
  const name = "sites.example.org";

  expect(await login({ port, name, as: "by-mtls", inTls: "by-mtls" })).toBe("admitted");
  expect(await login({ port, name, as: "by-mtls", inTls: "by-tls" })).toBe("ERR_TLS_MODE");
  expect(await login({ port, name, as: "by-mtls" })).toBe("ERR_TLS_MODE");
  expect(await login({ port, name, as: "by-tls" })).toBe("admitted");
});

test("an ingress that passes TLS through ends what asks for a name that is not ours, or for none", async () => {
  const { port } = await nginx(
    "pass-through",
    await aServer(project, "tls", { ...PROXY, proxyProtocol: true }),
  );

  for (const name of ["other.example.org", ""]) {
    expect(await login({ port, name, as: "by-tls" })).toBe("ERR_CONNECTION_REFUSED");
  }
});

test("the PROXY header of the ingress names the client, where both sides speak it", async () => {
  const { tls } = await opened("hub");
  const host = await aHost({ tls, ...PROXY, proxyProtocol: true });
  const { port } = await nginx("pass-through", host.socketUrl);
  const options = { serverName: "fl.example.org", ca: [files["root.pem"] ?? ""] };

  await webSocketConnector({ url: `wss://127.0.0.1:${port}/ws`, ...options }).connect(never);

  expect(host.federation.connections[0]?.remoteAddress).toBe("127.0.0.1");
});

test.each([
  ["the ingress", without(/proxy_protocol/), true],
  ["the server", (text: string) => text, false],
] as const)("the PROXY header without %s breaks the connection", async (_side, edit, proxyProtocol) => {
  const server = await aServer(project, "tls", { ...PROXY, proxyProtocol });
  const { port } = await nginx("pass-through", server, edit);

  expect(await login({ port, as: "by-tls" })).toBe("ERR_CONNECTION_REFUSED");
});

test("an ingress that demands certificates of the project lets their holders through, as themselves only", async () => {
  const { port } = await nginx("client-certificate", await aServer(project, "clear", PROXY));
  const name = "sites.example.org";

  expect(await login({ port, name, as: "by-tls", inTls: "by-tls" })).toBe("admitted");
  expect(await login({ port, name, as: "by-tls", inTls: "by-mtls" })).toBe("ERR_TLS_MODE");
  expect(await login({ port, name, as: "by-mtls", inTls: "by-mtls" })).toBe("ERR_TLS_MODE");
  expect(await login({ port, name, as: "by-tls" })).toBe("ERR_CONNECTION_REFUSED");
  expect(await login({ port, as: "by-tls" })).toBe("admitted");
});
