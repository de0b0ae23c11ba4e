import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { webSocketConnector } from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { aHost, metric } from "./host.ts";
import { rawRequest, SUBPROTOCOL_HEADER, upgradeRequest } from "./raw-request.ts";

const never = new AbortController().signal;

async function aSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, ["photinus.v1"]);
  await once(socket, "open");
  return socket;
}

/** A plain socket to the host that sends what it is told. */
async function aLine(port: number, text = ""): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

test("survives peers that send noise, text, oversized frames or nothing, and serves the others", async () => {
  const { socketUrl, port, get, federation } = await aHost();
  const good = await webSocketConnector({ url: socketUrl }).connect(never);

  const noise = rawRequest(port, `\x16\x03\x01${"\x00\xff".repeat(500)}\r\n\r\n`);
  const [raw, text, big] = await Promise.all([aSocket(socketUrl), aSocket(socketUrl), aSocket(socketUrl)]);
  const closed = Promise.all([raw, text, big].map((socket) => once(socket, "close")));
  // A frame with reserved bits set, straight on the line: RFC 6455 demands that the connection fails.
  Reflect.get(raw, "_socket").write(Buffer.alloc(10, 0xff));
  text.send("GET /");
  big.send(new Uint8Array(3 * 1_048_576));

  const codes = (await closed).map(([code]) => code);
  expect(codes).toEqual([1002, 4000, 1009]);
  expect(await noise).toMatch(/^HTTP\/1\.1 400/);
  expect((await get("/healthz")).status).toBe(200);
  good.send(Uint8Array.of(5));
  expect((await federation.connections[0]!.frames[Symbol.asyncIterator]().next()).value).toEqual(
    Uint8Array.of(5),
  );
});

test("a peer that reads nothing holds only its own buffer", async () => {
  const { socketUrl, federation, get } = await aHost();
  const slow = new WebSocket(socketUrl, ["photinus.v1"]);
  await once(slow, "open");
  slow.pause();
  const connection = federation.connections[0]!;

  for (let index = 0; index < 200; index++) connection.send(new Uint8Array(64 * 1024));
  await expect.poll(() => connection.bufferedBytes).toBeGreaterThan(1_048_576);

  expect((await get("/healthz")).status).toBe(200);
  slow.terminate();
  await connection.drained();
});

test("cuts a connection that sends more than a handshake before it has authenticated", async () => {
  const host = await aHost();
  host.federation.authenticate = () => new Promise(() => undefined);
  const socket = await aSocket(host.socketUrl);
  const closed = once(socket, "close");
  socket.on("error", () => undefined);

  for (let index = 0; index < 5; index++) socket.send(new Uint8Array(60_000));

  expect((await closed)[0]).toBe(1006);
  expect(await metric(host, 'photinus_upgrades_total{outcome="ERR_TOO_LARGE"}')).toMatch(/ 1$/);
});

test("a connection that has authenticated sends what it likes", async () => {
  const { socketUrl, federation } = await aHost();
  const client = await webSocketConnector({ url: socketUrl }).connect(never);
  const server = federation.connections[0]!;

  for (let index = 0; index < 5; index++) client.send(new Uint8Array(60_000));
  const frames = server.frames[Symbol.asyncIterator]();

  for (let index = 0; index < 5; index++) expect((await frames.next()).value).toHaveLength(60_000);
});

test("cuts sockets that send nothing, or the headers of a request byte by byte", async () => {
  const { port, get } = await aHost({ limits: { headersMs: 300 } });
  const silent = await aLine(port);
  const slow = await aLine(port, "GET / HTTP/1.1\r\nHost: x\r\n");
  const drip = setInterval(() => slow.write("X: y\r\n"), 20);
  onTestFinished(() => clearInterval(drip));
  for (const socket of [silent, slow]) socket.resume();

  await Promise.all([silent, slow].map((socket) => once(socket, "close")));

  expect((await get("/healthz")).status).toBe(200);
});

test("one address holds no more sockets than it may, and WebSockets do not count among them", async () => {
  const host = await aHost({ limits: { requestSocketsPerAddress: 4 } });
  const { port, socketUrl } = host;
  for (let count = 0; count < 8; count++) await webSocketConnector({ url: socketUrl }).connect(never);
  const held = [];
  for (let count = 0; count < 4; count++) held.push(await aLine(port));

  const beyond = await aLine(port);
  await once(beyond, "close");

  expect(held.filter(({ destroyed }) => destroyed)).toEqual([]);
  for (const socket of held) socket.destroy();
  await expect
    .poll(() => rawRequest(port, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"))
    .toMatch(/^HTTP\/1\.1 200/);
});

test("cuts a frame that comes byte by byte, of which each would take hundreds", async () => {
  const { port, get } = await aHost();
  const line = await aLine(port, upgradeRequest("/ws", [SUBPROTOCOL_HEADER]));
  line.setNoDelay(true);
  await once(line, "data");
  line.resume();
  line.write(Uint8Array.of(0x82, 0xfe, 0xff, 0xff, 0, 0, 0, 0)); // a frame of 65 535 bytes, masked by zeros

  let sent = 0;
  while (!line.destroyed && sent < 60_000) {
    line.write(Uint8Array.of(0));
    sent += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }

  expect(sent).toBeLessThan(60_000);
  expect((await get("/healthz")).status).toBe(200);
});

test("takes a frame in pieces as a slow line brings it", async () => {
  const { port, federation } = await aHost();
  const line = await aLine(port, upgradeRequest("/ws", [SUBPROTOCOL_HEADER]));
  line.setNoDelay(true);
  await once(line, "data");
  line.write(Uint8Array.of(0x82, 0xfe, 0xff, 0xff, 0, 0, 0, 0));

  for (let sent = 0; sent < 65_535; sent += 536) {
    line.write(new Uint8Array(Math.min(536, 65_535 - sent)));
    await new Promise((resolve) => setImmediate(resolve));
  }

  const frames = federation.connections[0]?.frames[Symbol.asyncIterator]();
  expect((await frames?.next())?.value).toHaveLength(65_535);
});

test("cuts a peer that pings and reads no answer", async () => {
  const { socketUrl, federation } = await aHost();
  const deaf = await aSocket(socketUrl);
  deaf.pause();
  deaf.on("error", () => undefined);

  const connection = federation.connections[0]!;
  const ended = connection.ended;
  const flood = setInterval(() => {
    for (let count = 0; count < 1000; count++) deaf.ping(new Uint8Array(125));
  });
  onTestFinished(() => clearInterval(flood));

  expect((await ended).closeCode).toBe(1006);
  deaf.terminate();
});
