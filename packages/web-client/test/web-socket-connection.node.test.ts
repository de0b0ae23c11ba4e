// In Node only: it needs the other end of a socket. ws has the interface of the browser's WebSocket.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ConnectedPair, transportContract } from "@photinus/core/testing/contracts";
import { webSocketConnection as nodeConnection } from "@photinus/node-platform";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { WebSocket as NodeWebSocket, WebSocketServer } from "ws";
import { systemClock } from "../src/system-clock.ts";
import { webSocketConnector } from "../src/web-socket-connector.ts";

const servers: Server[] = [];
const sockets: WebSocketServer[] = [];

beforeAll(() => {
  vi.stubGlobal("WebSocket", NodeWebSocket);
});

afterEach(() => {
  for (const socket of sockets.splice(0)) for (const client of socket.clients) client.terminate();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
}

async function aPair(): Promise<ConnectedPair & { readonly serverSocket: NodeWebSocket }> {
  const server = createServer();
  const webSockets = new WebSocketServer({ server, maxPayload: 2 ** 21, perMessageDeflate: false });
  sockets.push(webSockets);
  const accepted = new Promise<NodeWebSocket>((resolve) => webSockets.once("connection", resolve));
  const connector = webSocketConnector({ url: await listen(server) }, { clock: systemClock() });
  const [client, serverSocket] = await Promise.all([
    connector.connect(new AbortController().signal),
    accepted,
  ]);
  return { client, server: nodeConnection(serverSocket), serverSocket };
}

transportContract("WebSocket of a browser", aPair);

test("asks for the subprotocol", async () => {
  const { serverSocket } = await aPair();

  expect(serverSocket.protocol).toBe("photinus.v1");
});

test("ends with 4000 when a text message comes", async () => {
  const { client, serverSocket } = await aPair();

  serverSocket.send("hello");

  expect((await client.ended).closeCode).toBe(4000);
});

test("refuses with ERR_CONNECTION_REFUSED when no socket comes about", async () => {
  const url = await listen(createServer((_request, response) => response.writeHead(200).end("a page")));
  const connector = webSocketConnector({ url }, { clock: systemClock() });

  await expect(connector.connect(new AbortController().signal)).rejects.toMatchObject({
    code: "ERR_CONNECTION_REFUSED",
  });
});

test("refuses when the server does not answer in time", async () => {
  const server = createServer();
  server.on("upgrade", () => undefined); // takes the request and says nothing
  const connector = webSocketConnector(
    { url: await listen(server), timeoutMs: 50 },
    { clock: systemClock() },
  );

  await expect(connector.connect(new AbortController().signal)).rejects.toMatchObject({
    code: "ERR_CONNECTION_REFUSED",
    message: expect.stringContaining("within 50 ms"),
  });
});

test("gives up connecting with the reason of its signal", async () => {
  const server = createServer();
  server.on("upgrade", () => undefined);
  const connector = webSocketConnector({ url: await listen(server) }, { clock: systemClock() });
  const abort = new AbortController();

  const connecting = connector.connect(abort.signal);
  abort.abort(new Error("the page leaves"));

  await expect(connecting).rejects.toThrow("the page leaves");
});

test("takes no other address than that of a WebSocket", () => {
  expect(() => webSocketConnector({ url: "https://fl.example/ws" }, { clock: systemClock() })).toThrow(
    TypeError,
  );
});
