import { createConnection, createServer, type Socket } from "node:net";
import { serveParent } from "./serve-parent.ts";
import { cpuNowMs } from "./usage.ts";

// Both ends of the baseline, each in a process of its own: bytes over loopback that nobody looks at.

/** As large as the chunks of a stream. */
const WRITE_BYTES = 262_144;

let wanted = 0;
let received = 0;
let onReceived: () => void = () => undefined;
const server = createServer((socket) => {
  socket.on("data", (data) => {
    received += data.byteLength;
    if (received >= wanted) onReceived();
  });
});
let sender: Socket | undefined;

serveParent({
  listen: () =>
    new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    }),
  /** Receives and discards. @returns CPU time that it took, ms */
  discard: async (bytes: number): Promise<number> => {
    wanted = bytes;
    received = 0;
    const before = cpuNowMs();
    await new Promise<void>((resolve) => {
      onReceived = resolve;
    });
    return cpuNowMs() - before;
  },
  connect: (port: number) =>
    new Promise<void>((resolve, reject) => {
      sender = createConnection({ port, host: "127.0.0.1" }, resolve);
      sender.once("error", reject);
    }),
  send: async (bytes: number): Promise<void> => {
    const data = new Uint8Array(WRITE_BYTES);
    for (let left = bytes; left > 0; left -= WRITE_BYTES) {
      const isRoom = sender?.write(data.subarray(0, Math.min(left, WRITE_BYTES)));
      if (isRoom === false) await new Promise((resolve) => sender?.once("drain", resolve));
    }
  },
  stop: () => {
    sender?.destroy();
    server.close();
  },
});
