import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Connection } from "@photinus/core/platform";
import {
  MAX_FRAME_BYTES,
  SUBPROTOCOL,
  webSocketConnection,
  webSocketConnector,
} from "@photinus/node-platform";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

/** Port of a listening server on loopback. */
export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** An HTTP server on a free loopback port, closed when the test ends. */
export async function listen(server: Server = createServer()): Promise<Server> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

/** A socket server that takes the subprotocol, and the sockets it accepted in order. */
export async function socketServer(): Promise<{ url: string; accept: () => Promise<WebSocket> }> {
  const server = await listen();
  const sockets = new WebSocketServer({ server, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  const accepted: WebSocket[] = [];
  const waiting: ((socket: WebSocket) => void)[] = [];
  sockets.on("connection", (socket) => {
    const next = waiting.shift();
    if (next) next(socket);
    else accepted.push(socket);
  });
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate();
  });
  return {
    url: `ws://127.0.0.1:${portOf(server)}/`,
    async accept() {
      return accepted.shift() ?? (await new Promise<WebSocket>((resolve) => waiting.push(resolve)));
    },
  };
}

/** Both ends of one real WebSocket on loopback. */
export async function connectionPair(receiveBufferBytes?: number): Promise<{
  client: Connection;
  server: Connection;
  serverSocket: WebSocket;
}> {
  const { url, accept } = await socketServer();
  const [client, serverSocket] = await Promise.all([
    webSocketConnector({ url }).connect(new AbortController().signal),
    accept(),
  ]);
  if (serverSocket.protocol !== SUBPROTOCOL) throw new Error("the subprotocol was not negotiated");
  const options = receiveBufferBytes === undefined ? {} : { receiveBufferBytes };
  return { client, server: webSocketConnection(serverSocket, options), serverSocket };
}

/** The next `count` frames; leaves the iterator open. */
export async function take(frames: AsyncIterator<Uint8Array>, count: number): Promise<Uint8Array[]> {
  const taken: Uint8Array[] = [];
  while (taken.length < count) {
    const { value, done } = await frames.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}
