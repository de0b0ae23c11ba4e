import { SUBPROTOCOL } from "@photinus/node-platform";
import { WebSocketServer } from "ws";
import { serveParent } from "../federation/serve-parent.ts";
import { compactUserMemory, userMemory } from "./user-memory.ts";

// A WebSocket server that knows nothing of its peers: what a connection costs before there is a session.

let server: WebSocketServer | undefined;

serveParent({
  start: () =>
    new Promise<string>((resolve) => {
      const started = new WebSocketServer(
        {
          port: 0,
          host: "127.0.0.1",
          perMessageDeflate: false,
          clientTracking: true,
          handleProtocols: () => SUBPROTOCOL,
        },
        () => {
          const address = started.address();
          resolve(`ws://127.0.0.1:${typeof address === "object" ? address?.port : ""}/ws`);
        },
      );
      server = started;
    }),
  userMemory,
  compactUserMemory,
  stop: () => {
    for (const socket of server?.clients ?? []) socket.terminate();
    server?.close();
  },
});
