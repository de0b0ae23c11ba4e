import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A stretch of the way to a server, which the test cuts. */
export interface TcpRelay {
  readonly port: number;
  /** Ends every TCP connection on it; new ones get through. */
  cut(): void;
  /** Cuts when so many bytes have come from the server. */
  cutAfter(bytes: number): void;
}

/** Relays TCP to a port of this machine. */
export async function tcpRelay(to: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let bytesLeft = Number.POSITIVE_INFINITY;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined); // the other end was cut off
      socket.on("close", () => sockets.delete(socket));
    }
    near.pipe(far);
    far.on("end", () => near.end());
    far.on("data", (data) => {
      const rest = bytesLeft;
      bytesLeft -= data.byteLength;
      if (data.byteLength < rest) near.write(data);
      else {
        bytesLeft = Number.POSITIVE_INFINITY;
        near.write(data.subarray(0, rest), cut); // what came so far arrives
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    cut();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a path
  return {
    port,
    cut,
    cutAfter: (bytes) => {
      bytesLeft = bytes;
    },
  };
}
