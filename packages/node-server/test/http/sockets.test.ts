import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { readError } from "@photinus/core/envelope";
import { readFrame } from "@photinus/core/wire";
import { webSocketConnector } from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { aHost, type Running } from "./host.ts";
import { rawRequest, upgradeRequest } from "./raw-request.ts";

const never = new AbortController().signal;
const SUBPROTOCOL = "Sec-WebSocket-Protocol: photinus.v1";

async function aSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, ["photinus.v1"]);
  await once(socket, "open");
  return socket;
}

async function metric(host: Running, line: string): Promise<string | undefined> {
  return (await host.metrics.render()).split("\n").find((text) => text.startsWith(line));
}

test("hands a connection with the subprotocol to the federation, and moves frames both ways", async () => {
  const { socketUrl, federation } = await aHost();

  const client = await webSocketConnector({ url: socketUrl }).connect(never);
  const server = federation.connections[0]!;
  client.send(Uint8Array.of(1));
  server.send(Uint8Array.of(2));

  expect((await server.frames[Symbol.asyncIterator]().next()).value).toEqual(Uint8Array.of(1));
  expect((await client.frames[Symbol.asyncIterator]().next()).value).toEqual(Uint8Array.of(2));
  expect(server.remoteAddress).toBe("127.0.0.1");
});

test.each([
  ["without a subprotocol", "/ws", [], 426, "ERR_UPGRADE_REFUSED"],
  [
    "with another subprotocol",
    "/ws",
    ["Sec-WebSocket-Protocol: photinus.v2, mqtt"],
    426,
    "ERR_UPGRADE_REFUSED",
  ],
  ["at another path", "/socket", [SUBPROTOCOL], 404, "ERR_NOT_FOUND"],
  [
    "from a page of another site",
    "/ws",
    [SUBPROTOCOL, "Origin: https://evil.example"],
    426,
    "ERR_UPGRADE_REFUSED",
  ],
  ["from an opaque origin", "/ws", [SUBPROTOCOL, "Origin: null"], 426, "ERR_UPGRADE_REFUSED"],
])("refuses an upgrade %s", async (_case, path, headers, status, code) => {
  const { port, federation } = await aHost();

  const answer = await rawRequest(port, upgradeRequest(path, headers));

  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).toContain(`"code":"${code}"`);
  expect(federation.connections).toHaveLength(0);
});

test("takes an upgrade from its own pages and from configured origins", async () => {
  const { socketUrl, origin, federation } = await aHost({ allowedOrigins: ["https://portal.example"] });

  for (const from of [origin, "https://portal.example"]) {
    const socket = new WebSocket(socketUrl, ["photinus.v1"], { origin: from });
    await once(socket, "open");
    socket.terminate();
  }

  expect(federation.connections).toHaveLength(2);
});

test("refuses compression", async () => {
  const { socketUrl } = await aHost();
  const socket = new WebSocket(socketUrl, ["photinus.v1"], { perMessageDeflate: true });

  await once(socket, "open");

  expect(socket.extensions).toBe("");
  socket.terminate();
});

test("tells a plain request for the socket that it must upgrade", async () => {
  const { get } = await aHost();

  const response = await get("/ws");

  expect(response.status).toBe(426);
  expect(response.headers.get("upgrade")).toBe("websocket");
});

test("limits upgrades of one address in a minute and says when to come back", async () => {
  const host = await aHost({ limits: { upgradesPerMinute: 2 } });
  const connector = webSocketConnector({ url: host.socketUrl });
  await connector.connect(never);
  await connector.connect(never);

  await expect(connector.connect(never)).rejects.toMatchObject({
    code: "ERR_CONNECTION_REFUSED",
    message: expect.stringContaining("HTTP 429: the server is busy, retry after"),
  });
  expect(await metric(host, 'photinus_upgrades_total{outcome="ERR_RATE_LIMITED"}')).toMatch(/ 1$/);
});

test("counts limits by the socket's address: an invented X-Forwarded-For changes nothing", async () => {
  const { port } = await aHost({ limits: { upgradesPerMinute: 1 } });

  const outcomes: string[] = [];
  for (const invented of ["198.51.100.1", "198.51.100.2"]) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ["photinus.v1"], {
      headers: { "x-forwarded-for": invented },
    });
    outcomes.push(
      await once(socket, "open").then(
        () => "open",
        () => "refused",
      ),
    );
    socket.terminate();
  }

  expect(outcomes).toEqual(["open", "refused"]);
});

test("counts by the last forwarded address behind a configured proxy", async () => {
  const { port, federation } = await aHost({
    limits: { upgradesPerMinute: 1 },
    trustedProxies: ["127.0.0.1"],
  });

  for (const forwarded of ["6.6.6.6, 203.0.113.1", "6.6.6.6, 203.0.113.2"]) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ["photinus.v1"], {
      headers: { "x-forwarded-for": forwarded },
    });
    await once(socket, "open");
    socket.terminate();
  }

  expect(federation.connections.map(({ remoteAddress }) => remoteAddress)).toEqual([
    "203.0.113.1",
    "203.0.113.2",
  ]);
});

test("caps connections that have not authenticated, and takes more once they have or are gone", async () => {
  const host = await aHost({ limits: { halfOpen: 2 } });
  const admit: (() => void)[] = [];
  host.federation.authenticate = () => new Promise<void>((resolve) => admit.push(resolve));
  const connector = webSocketConnector({ url: host.socketUrl });
  const first = await connector.connect(never);
  await connector.connect(never);

  await expect(connector.connect(never)).rejects.toMatchObject({
    message: expect.stringContaining("HTTP 503"),
  });

  admit[1]?.();
  await expect.poll(() => metric(host, "photinus_connections_half_open")).toMatch(/ 1$/);
  await connector.connect(never);
  first.close(1000, "");
  await expect.poll(() => metric(host, "photinus_connections_half_open")).toMatch(/ 1$/);
  await connector.connect(never);
});

test("does not count a broken upgrade as half-open for ever", async () => {
  const { port, socketUrl } = await aHost({ limits: { halfOpen: 1 } });

  const answer = await rawRequest(
    port,
    upgradeRequest("/ws", [SUBPROTOCOL]).replace("Version: 13", "Version: 99"),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 4/);

  await webSocketConnector({ url: socketUrl }).connect(never);
});

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

test("reports a used port with its remedy", async () => {
  const { port } = await aHost();

  await expect(aHost({ port })).rejects.toMatchObject({ code: "ERR_PORT_IN_USE" });
});

test("reports an address that this machine does not have", async () => {
  await expect(aHost({ host: "203.0.113.7" })).rejects.toMatchObject({ code: "ERR_ADDRESS_UNUSABLE" });
});

test("stops in order: drains, tells open sockets, refuses new ones, frees the port", async () => {
  const { socketUrl, federation, httpHost, port } = await aHost();
  const client = await webSocketConnector({ url: socketUrl }).connect(never);

  await Promise.all([httpHost.stop(), httpHost.stop()]);

  expect(await client.ended).toMatchObject({ closeCode: 4024 });
  expect(federation.drained).toBe(1);
  await expect(webSocketConnector({ url: socketUrl }).connect(never)).rejects.toMatchObject({
    code: "ERR_CONNECTION_REFUSED",
  });
  const successor = createServer();
  successor.listen(port, "127.0.0.1");
  await once(successor, "listening");
  onTestFinished(() => void successor.close());
  expect((successor.address() as AddressInfo).port).toBe(port);
});

test("stops although a peer does not answer the close", async () => {
  const { socketUrl, httpHost } = await aHost({ drainMs: 20 });
  const deaf = new WebSocket(socketUrl, ["photinus.v1"]);
  await once(deaf, "open");
  deaf.pause();

  await httpHost.stop();

  deaf.terminate();
});

test("stops although the federation does not drain", async () => {
  const { federation, httpHost } = await aHost({ drainMs: 20 });
  federation.drain = () => new Promise(() => undefined);

  await httpHost.stop();
});

test("stop before start does nothing", async () => {
  const { httpHost } = await aHost();

  await httpHost.stop();
  await httpHost.stop();
});

test("a page that is sent away hears why and when to come back, which HTTP could not tell it", async () => {
  const { socketUrl, origin } = await aHost({ limits: { upgradesPerMinute: 1 } });
  const first = new WebSocket(socketUrl, ["photinus.v1"], { origin });
  await once(first, "open");

  const second = new WebSocket(socketUrl, ["photinus.v1"], { origin });
  const [bytes] = await once(second, "message");
  const [closeCode] = await once(second, "close");

  const notice = readError(readFrame(Uint8Array.from(bytes)));
  expect(notice).toMatchObject({ code: "ERR_RATE_LIMITED" });
  expect(notice.retryAfterMs).toBeGreaterThan(55_000);
  expect(closeCode).toBe(4005);
  first.terminate();
});

test("tells no more than 64 pages at a time: the others get the answer that costs nothing", async () => {
  const { socketUrl, origin } = await aHost({ limits: { halfOpen: 0 } });
  const deaf = Array.from({ length: 66 }, () => new WebSocket(socketUrl, ["photinus.v1"], { origin }));
  const outcomes = await Promise.all(
    deaf.map(
      (socket) =>
        new Promise<string>((resolve) => {
          socket.on("open", () => {
            socket.pause(); // it never answers the close
            resolve("told");
          });
          socket.on("error", (error) => resolve(error.message));
        }),
    ),
  );
  for (const socket of deaf) socket.terminate();

  expect(outcomes.filter((outcome) => outcome === "told")).toHaveLength(64);
  expect(outcomes.filter((outcome) => outcome.endsWith("503"))).toHaveLength(2);
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

/** A plain socket to the host that sends what it is told. */
async function aLine(port: number, text = ""): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

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
  const line = await aLine(port, upgradeRequest("/ws", [SUBPROTOCOL]));
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
  const line = await aLine(port, upgradeRequest("/ws", [SUBPROTOCOL]));
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
