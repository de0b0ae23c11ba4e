import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { aHost } from "./host.ts";
import { SUBPROTOCOL_HEADER, upgradeRequest } from "./raw-request.ts";

const PROTOCOL = [SUBPROTOCOL_HEADER];
const PROXIED = { trustedProxies: ["127.0.0.1"], proxyProtocol: true } as const;
const headerFor = (address: string): string => `PROXY TCP4 ${address} 203.0.113.1 1000 443\r\n`;

/** A line to the host, as a proxy would open it. */
async function aLine(port: number, text: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

/** The line is cut: by its end or by a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

async function statusOf(socket: Socket): Promise<string> {
  const [answer] = await once(socket, "data");
  return String(answer).slice(9, 12);
}

test("limits count by whom the proxy announces, not by the proxy", async () => {
  const { port, federation } = await aHost({ ...PROXIED, limits: { upgradesPerMinute: 1 } });
  const statuses: string[] = [];

  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.1"]) {
    statuses.push(await statusOf(await aLine(port, headerFor(address) + upgradeRequest("/ws", PROTOCOL))));
  }

  expect(statuses).toEqual(["101", "101", "429"]);
  expect(federation.connections.map(({ remoteAddress }) => remoteAddress)).toEqual([
    "192.0.2.1",
    "192.0.2.2",
  ]);
});

test("a header that comes byte by byte is waited for, and the request after it is answered", async () => {
  const { port } = await aHost(PROXIED);
  const socket = await aLine(port, "");

  for (const character of headerFor("192.0.2.1")) {
    socket.write(character);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");

  expect(await statusOf(socket)).toBe("200");
});

test("a header of the client's own, or X-Forwarded-For behind one, changes nothing", async () => {
  const { port, federation } = await aHost(PROXIED);
  const forged = upgradeRequest("/ws", [...PROTOCOL, "X-Forwarded-For: 198.51.100.9"]);

  expect(await statusOf(await aLine(port, headerFor("192.0.2.1") + forged))).toBe("101");
  const twice = await aLine(port, headerFor("192.0.2.1") + headerFor("198.51.100.9") + forged);
  expect(await statusOf(twice)).toBe("400");

  expect(federation.connections.map(({ remoteAddress }) => remoteAddress)).toEqual(["192.0.2.1"]);
});

test("a connection of the proxy without a header is cut, and one whose header does not come as well", async () => {
  const { port } = await aHost({ ...PROXIED, limits: { headersMs: 200 } });

  const without = await aLine(port, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  const silent = await aLine(port, "PROXY ");

  await Promise.all([without, silent].map(closed));
  expect([without.bytesRead, silent.bytesRead]).toEqual([0, 0]);
});

test("who is no proxy sends no header: it would be a broken request", async () => {
  const { port, get } = await aHost({ trustedProxies: ["192.0.2.99"], proxyProtocol: true });

  expect(await statusOf(await aLine(port, headerFor("192.0.2.1")))).toBe("400");
  expect((await get("/healthz")).status).toBe(200);
});

test("figures are not for those whom a proxy on this machine announces", async () => {
  const { port } = await aHost(PROXIED);
  const request = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

  expect(await statusOf(await aLine(port, headerFor("192.0.2.1") + request))).toBe("401");
  expect(await statusOf(await aLine(port, `PROXY UNKNOWN\r\n${request}`))).toBe("200");
});

test("stops at once, though a header has not come", async () => {
  const { port, httpHost } = await aHost({ ...PROXIED, drainMs: 50 });
  const silent = await aLine(port, "PRO");
  const cut = closed(silent);

  await httpHost.stop();

  await cut;
});
