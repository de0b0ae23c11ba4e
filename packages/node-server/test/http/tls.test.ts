import { once } from "node:events";
import { get } from "node:https";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Bytes } from "@photinus/core/bytes";
import { issueParticipant, issueRoot, requireName, subjectOf } from "@photinus/core/pki";
import { nodeCrypto, pem, tlsIdentity, webSocketConnector } from "@photinus/node-platform";
import type { TlsOptions } from "@photinus/node-server";
import { expect, onTestFinished, test } from "vitest";
import { aFolder, aHost } from "./host.ts";
import { SUBPROTOCOL_HEADER, upgradeRequest } from "./raw-request.ts";

const crypto = nodeCrypto();
const never = new AbortController().signal;

/** A server certificate for these hosts under a fresh root. */
async function serverTls(
  hosts: readonly string[],
  lifetimeMs?: number,
): Promise<{ tls: TlsOptions; root: string; leaf: Bytes }> {
  const project = requireName("test", "the project");
  const rootKey = await crypto.generateSigningKey(3);
  const root = await issueRoot({ project, key: rootKey, nowMs: Date.now() }, { crypto });
  const key = await crypto.generateSigningKey(1, { extractable: true });
  const subject = subjectOf(project, "server", "hub");
  if (subject === undefined) throw new Error("hub is a name");
  const leaf = await issueParticipant(
    {
      subject,
      org: project,
      publicKey: key.publicKey,
      hosts,
      nowMs: Date.now(),
      ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
    },
    { certificate: root, key: rootKey },
    { crypto },
  );
  const tls = tlsIdentity([leaf.der], await crypto.exportSigningKey(key));
  return { tls, root: pem("CERTIFICATE", root.der), leaf: leaf.der };
}

test("serves pages and sockets by TLS with a certificate of the project", async () => {
  const { tls, root } = await serverTls(["127.0.0.1"]);
  const { origin, socketUrl, federation } = await aHost({
    tls,
    pages: await aFolder({ "index.html": "page" }),
  });

  const [response] = await once(get(origin, { ca: root }), "response");
  const client = await webSocketConnector({ url: socketUrl, ca: [root] }).connect(never);
  client.send(Uint8Array.of(3));

  expect(response.statusCode).toBe(200);
  response.resume();
  expect(origin).toMatch(/^https:/);
  expect((await federation.connections[0]!.frames[Symbol.asyncIterator]().next()).value).toEqual(
    Uint8Array.of(3),
  );
});

test("serves pages off loopback when it speaks TLS", async () => {
  const { tls, root } = await serverTls(["127.0.0.1"]);
  const { port } = await aHost({ host: "0.0.0.0", tls, pages: await aFolder({ "index.html": "page" }) });

  const [response] = await once(get(`https://127.0.0.1:${port}/`, { ca: root }), "response");

  expect(response.statusCode).toBe(200);
  response.resume();
});

test.each([
  [
    "another root",
    async () => ({ ...(await serverTls(["127.0.0.1"])), root: (await serverTls([])).root }),
    "trusted root",
  ],
  ["another name", () => serverTls(["192.0.2.1"]), "for another name"],
  ["a certificate that has expired", () => serverTls(["127.0.0.1"], -60_000), "has expired"],
])("a client refuses %s and says so", async (_case, make, text) => {
  const { tls, root } = await make();
  const { socketUrl } = await aHost({ tls });

  await expect(webSocketConnector({ url: socketUrl, ca: [root] }).connect(never)).rejects.toMatchObject({
    code: "ERR_CONNECTION_REFUSED",
    message: expect.stringContaining(text),
  });
});

test("a client that speaks clear to a TLS port is told", async () => {
  const { tls } = await serverTls(["127.0.0.1"]);
  const { socketUrl } = await aHost({ tls });

  await expect(
    webSocketConnector({ url: socketUrl.replace("wss:", "ws:") }).connect(never),
  ).rejects.toMatchObject({ code: "ERR_CONNECTION_REFUSED" });
});

test("tells the leaf that a client proved to TLS, and admits clients without one", async () => {
  const { tls, root, leaf } = await serverTls(["127.0.0.1"]);
  const { socketUrl, federation } = await aHost({ tls: { ...tls, clientRoot: root } });

  await webSocketConnector({ url: socketUrl, ca: [root], clientCertificate: tls }).connect(never);
  await webSocketConnector({ url: socketUrl, ca: [root] }).connect(never);

  expect(federation.peers).toEqual([
    { tlsLeaf: leaf, forwardedLeaf: undefined },
    { tlsLeaf: undefined, forwardedLeaf: undefined },
  ]);
});

test("a PROXY header comes before TLS, and the limits count by whom it announces", async () => {
  const { tls, root } = await serverTls(["127.0.0.1"]);
  const { port, federation } = await aHost({ tls, trustedProxies: ["127.0.0.1"], proxyProtocol: true });
  const line = connect(port, "127.0.0.1");
  onTestFinished(() => void line.destroy());
  await once(line, "connect");
  line.write("PROXY TCP4 192.0.2.1 203.0.113.1 1000 443\r\n");
  const secured = connectTls({ socket: line, ca: root, host: "127.0.0.1" });
  secured.write(upgradeRequest("/ws", [SUBPROTOCOL_HEADER]));

  const [answer] = await once(secured, "data");

  expect(String(answer)).toMatch(/^HTTP\/1\.1 101/);
  expect(federation.connections[0]?.remoteAddress).toBe("192.0.2.1");
});

/** The certificate that a server presents to who asks for this name; empty when it asks for none. */
async function presentedTo(port: number, servername: string): Promise<string | undefined> {
  const socket = connectTls({ port, host: "127.0.0.1", servername, rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket.getPeerX509Certificate()?.toString();
}

test("who asks for a name of the public certificate gets it, everybody else the project's", async () => {
  const [{ tls }, { tls: publicIdentity }] = [
    await serverTls(["fl.example.org", "127.0.0.1"]),
    await serverTls(["fl.example.org", "*.pages.example.org"]),
  ];
  const { port } = await aHost({ tls: { ...tls, publicIdentity } });

  const asked = ["fl.example.org", "a.pages.example.org", "sites.example.org", ""];
  const got = await Promise.all(asked.map((name) => presentedTo(port, name)));

  const { certificate: ofPages } = publicIdentity;
  expect(got).toEqual([ofPages, ofPages, tls.certificate, tls.certificate]);
});

test("a certificate is exchanged without dropping a socket", async () => {
  const [old, renewed] = [await serverTls(["127.0.0.1"]), await serverTls(["127.0.0.1"])];
  const { httpHost, port, socketUrl, federation } = await aHost({ tls: old.tls });
  const before = await webSocketConnector({ url: socketUrl, ca: [old.root] }).connect(never);

  httpHost.replaceTls(renewed.tls);

  expect(await presentedTo(port, "")).toBe(renewed.tls.certificate);
  expect(await presentedTo(port, "fl.example.org")).toBe(renewed.tls.certificate);
  await expect(webSocketConnector({ url: socketUrl, ca: [old.root] }).connect(never)).rejects.toMatchObject({
    code: "ERR_CONNECTION_REFUSED",
  });
  before.send(Uint8Array.of(7));
  const { value } = await federation.connections[0]!.frames[Symbol.asyncIterator]().next();
  expect(value).toEqual(Uint8Array.of(7));
});

test("a certificate with another's key changes nothing", async () => {
  const [old, other] = [await serverTls(["127.0.0.1"]), await serverTls(["127.0.0.1"])];
  const { httpHost, port } = await aHost({ tls: old.tls });
  const broken = { certificate: other.tls.certificate, privateKey: old.tls.privateKey };

  for (const tls of [broken, { ...other.tls, publicIdentity: broken }]) {
    expect(() => httpHost.replaceTls(tls)).toThrowError(
      expect.objectContaining({ code: "ERR_CONFIG_INVALID" }),
    );
  }

  expect(await presentedTo(port, "")).toBe(old.tls.certificate);
});
