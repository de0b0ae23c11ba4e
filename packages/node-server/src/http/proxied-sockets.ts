import type { Server, Socket } from "node:net";
import { type Bytes, concatBytes, toBytes } from "@photinus/core/bytes";
import type { Clock, Logger } from "@photinus/core/platform";
import { type AddressedSocket, plainAddress } from "./client-address.ts";
import { readProxyHeader } from "./proxy-header.ts";

/** What {@link ProxiedSockets} works with. */
export interface ProxiedSocketsModules {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Options of {@link ProxiedSockets}. */
export interface ProxiedSocketsOptions {
  /** Addresses of the proxies whose connections begin with a PROXY header; those of others must not. */
  readonly trustedProxies: readonly string[];
  /** Time for the header, in ms. */
  readonly headerMs: number;
}

/** Takes the PROXY header from the connections of trusted proxies, and knows whom each has announced. */
export class ProxiedSockets {
  readonly #options: ProxiedSocketsOptions;
  readonly #modules: ProxiedSocketsModules;
  /** By the proxy's address and port: TLS wraps the socket in another object. */
  readonly #announced = new Map<string, string>();
  /** Sockets whose header has not come yet. */
  readonly #waiting = new Set<Socket>();

  constructor(options: ProxiedSocketsOptions, modules: ProxiedSocketsModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Whom a proxy has announced on this connection. */
  announcedOf(socket: AddressedSocket): string | undefined {
    return this.#announced.get(keyOf(socket));
  }

  /** Puts itself before the server: its own listeners see a socket when the header is off. */
  attach(server: Server): void {
    const listeners = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => {
      this.#take(socket, (ready) => {
        for (const listener of listeners) Reflect.apply(listener, server, [ready]);
      });
    });
  }

  /** Cuts the sockets whose header has not come yet. */
  stop(): void {
    for (const socket of this.#waiting) socket.destroy();
  }

  /** Hands a socket on, without its header; one without a right header is cut. */
  #take(socket: Socket, accept: (socket: Socket) => void): void {
    socket.on("error", () => socket.destroy());
    const proxy = plainAddress(socket.remoteAddress ?? "unknown");
    if (!this.#options.trustedProxies.includes(proxy)) {
      accept(socket);
      return;
    }
    const late = this.#modules.clock.after(this.#options.headerMs, () => socket.destroy());
    this.#waiting.add(socket);
    socket.once("close", () => {
      late.cancel();
      this.#waiting.delete(socket);
    });
    let received: Bytes = new Uint8Array(0);
    const onReadable = (): void => {
      for (let part: unknown = socket.read(); part instanceof Uint8Array; part = socket.read()) {
        received = concatBytes(received, toBytes(part));
      }
      const header = this.#read(received, socket);
      if (header === undefined) return;
      late.cancel();
      this.#waiting.delete(socket);
      socket.off("readable", onReadable);
      this.#announce(socket, header.address);
      if (header.length < received.byteLength) socket.unshift(received.slice(header.length));
      accept(socket);
    };
    socket.on("readable", onReadable);
  }

  #read(received: Bytes, socket: Socket): ReturnType<typeof readProxyHeader> {
    try {
      return readProxyHeader(received);
    } catch {
      // The proxy is configured and sends none, or somebody else speaks from its address.
      this.#modules.logger.warn("a connection of a proxy has no PROXY header", {
        proxy: socket.remoteAddress ?? "",
      });
      socket.destroy();
      return undefined;
    }
  }

  #announce(socket: Socket, address: string | undefined): void {
    if (address === undefined) return;
    const key = keyOf(socket);
    this.#announced.set(key, plainAddress(address));
    socket.once("close", () => this.#announced.delete(key));
  }
}

function keyOf({ remoteAddress, remotePort }: AddressedSocket): string {
  return `${remoteAddress} ${remotePort}`;
}
