import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Metrics } from "@photinus/core/platform";
import { type AddressedSocket, networkOf, type ProxyTrust, socketAddress } from "./client-address.ts";
import { FairPlaces } from "./fair-places.ts";

/** Limits of sockets that are not WebSockets: before a request, between requests, and while one is answered. */
export interface RequestSocketLimits {
  /** Sockets of one address; an IPv6 network of 64 bits counts as one. Default 256. */
  readonly requestSocketsPerAddress: number;
  /** Sockets altogether. Default 4 096. */
  readonly requestSockets: number;
  /** Time in which a socket must have sent the headers of its request, in ms. Default 10 000. */
  readonly headersMs: number;
}

/** Counts the sockets of an HTTP server, so that nobody takes all that the process may open. */
export class RequestSockets {
  readonly #places: FairPlaces;
  readonly #trust: ProxyTrust;
  /** How a socket gives its place back, by the peer's address and port: TLS wraps the socket in another object. */
  readonly #leave = new Map<string, () => void>();

  /** @param trust proxies share their sockets among many people, so that they count by none */
  constructor(limits: RequestSocketLimits, trust: ProxyTrust, metrics: Metrics) {
    this.#trust = trust;
    this.#places = new FairPlaces(
      { perNetwork: limits.requestSocketsPerAddress, altogether: limits.requestSockets },
      { onEvicted: () => metrics.count("photinus_connections_evicted_total") },
    );
  }

  /** A socket was opened; one for which there is no place is cut. */
  opened(socket: Socket): void {
    const address = socketAddress(socket, this.#trust);
    if (this.#trust.proxies.includes(address)) return;
    const network = networkOf(address);
    const leave = this.#places.isFullFor(network)
      ? undefined
      : this.#places.add(network, () => socket.destroy());
    if (leave === undefined) {
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    const onClose = (): void => this.#give(key);
    socket.on("close", onClose);
    this.#leave.set(key, () => {
      leave();
      // A WebSocket lives for hours, and would hold this as long.
      socket.off("close", onClose);
    });
  }

  /** A socket asks to be a WebSocket, for which other limits hold. */
  upgraded(socket: Duplex): void {
    this.#give(keyOf(socket));
  }

  #give(key: string): void {
    this.#leave.get(key)?.();
    this.#leave.delete(key);
  }
}

function keyOf(socket: Duplex & AddressedSocket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
