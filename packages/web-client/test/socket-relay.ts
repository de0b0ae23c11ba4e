import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { type WebSocket, WebSocketServer } from "ws";

declare module "vitest" {
  export interface ProvidedContext {
    /** Address of a real server on loopback: two sockets to one path under it are each other's peer. */
    socketRelay: string;
  }
}

/** The largest frame of the protocol. */
const MAX_FRAME_BYTES = 1_048_576 + 1024;

/** A close code that a side may give; anything else (1006, 1009) is told as an orderly end. */
const codeToTell = (code: number): number => (code >= 4000 && code <= 4999 ? code : 1000);

/** Passes frames and the end of one socket on to the other. */
function pass(from: WebSocket, to: WebSocket): void {
  from.on("message", (data, binary) => {
    from.pause();
    to.send(data, { binary }, () => from.resume());
  });
  from.on("close", (code, reason) => to.close(codeToTell(code), reason));
}

/** Pages cannot listen: both ends of a browser's connection meet at this server. */
async function startRelay(): Promise<Server> {
  const server = createServer();
  const sockets = new WebSocketServer({ server, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  const first = new Map<string, WebSocket>();
  sockets.on("connection", (socket, { url = "" }) => {
    socket.on("error", () => undefined); // "close" follows
    const peer = first.get(url);
    if (peer === undefined) {
      socket.pause(); // until there is somebody to pass it on to
      first.set(url, socket);
      return;
    }
    first.delete(url);
    pass(peer, socket);
    pass(socket, peer);
    peer.resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Called by Vitest before the tests in Chromium. @returns what ends it */
export async function setup({ provide }: TestProject): Promise<() => void> {
  const server = await startRelay();
  const { port } = server.address() as AddressInfo; // it listens on TCP
  provide("socketRelay", `ws://127.0.0.1:${port}`);
  return () => {
    server.closeAllConnections();
    server.close();
  };
}
