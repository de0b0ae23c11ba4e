import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import { readError } from "@photinus/core/envelope";
import { readFrame } from "@photinus/core/wire";
import { webSocketConnector } from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { aHost, metric } from "./host.ts";
import { rawRequest, SUBPROTOCOL_HEADER, upgradeRequest } from "./raw-request.ts";

const never = new AbortController().signal;

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

test("a socket that has authenticated keeps the listeners of ws and none of its upgrade", async () => {
  const accepted: Socket[] = [];
  const note = (message: unknown): void => {
    const socket = typeof message === "object" && message !== null && "socket" in message && message.socket;
    if (socket instanceof Socket) accepted.push(socket);
  };
  subscribe("net.server.socket", note);
  onTestFinished(() => void unsubscribe("net.server.socket", note));
  const { socketUrl, federation } = await aHost();
  const ofWsAlone = { close: 1, error: 1, data: 1, end: 2 };

  await webSocketConnector({ url: socketUrl }).connect(never);
  await federation.connections[0]?.drained();

  const [socket] = accepted;
  const count = (event: string): number => socket?.listenerCount(event) ?? 0;
  expect(Object.fromEntries(Object.keys(ofWsAlone).map((event) => [event, count(event)]))).toEqual(ofWsAlone);
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
  ["at another path", "/socket", [SUBPROTOCOL_HEADER], 404, "ERR_NOT_FOUND"],
  [
    "from a page of another site",
    "/ws",
    [SUBPROTOCOL_HEADER, "Origin: https://evil.example"],
    426,
    "ERR_UPGRADE_REFUSED",
  ],
  ["from an opaque origin", "/ws", [SUBPROTOCOL_HEADER, "Origin: null"], 426, "ERR_UPGRADE_REFUSED"],
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
    upgradeRequest("/ws", [SUBPROTOCOL_HEADER]).replace("Version: 13", "Version: 99"),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 4/);

  await webSocketConnector({ url: socketUrl }).connect(never);
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
