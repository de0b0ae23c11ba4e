import type { Metrics } from "@photinus/core/platform";

/** Limits of {@link HalfOpenConnections}. */
export interface HalfOpenLimits {
  /** Connections of one network. */
  readonly halfOpenPerAddress: number;
  /** Connections altogether. */
  readonly halfOpen: number;
}

interface HalfOpen {
  readonly evict: () => void;
}

/**
 * Connections that have not authenticated. When all places are taken, a newcomer gets that of the oldest connection
 * of the network that has the most, so that nobody locks others out by holding connections open.
 */
export class HalfOpenConnections {
  readonly #limits: HalfOpenLimits;
  readonly #metrics: Metrics;
  /** By network, oldest first. */
  readonly #byNetwork = new Map<string, Set<HalfOpen>>();
  #total = 0;

  constructor(limits: HalfOpenLimits, metrics: Metrics) {
    this.#limits = limits;
    this.#metrics = metrics;
  }

  /** True when this network may not have one more, whatever the others have. */
  isFullFor(network: string): boolean {
    return this.#countOf(network) >= this.#limits.halfOpenPerAddress;
  }

  /** @returns what to call when the connection has authenticated or ended, idempotent; `undefined`: there is no place */
  add(network: string, evict: () => void): (() => void) | undefined {
    if (this.#total >= this.#limits.halfOpen && !this.#makeRoomFor(network)) return undefined;
    const connection: HalfOpen = { evict };
    const connections = this.#byNetwork.get(network) ?? new Set();
    connections.add(connection);
    this.#byNetwork.set(network, connections);
    this.#count(1);
    return () => this.#remove(network, connection);
  }

  #countOf(network: string): number {
    return this.#byNetwork.get(network)?.size ?? 0;
  }

  /** Who has most gives one up, unless the newcomer would have as many. */
  #makeRoomFor(newcomer: string): boolean {
    let largest = newcomer;
    for (const [network, { size }] of this.#byNetwork) if (size > this.#countOf(largest)) largest = network;
    if (this.#countOf(largest) <= this.#countOf(newcomer) + 1) return false;
    const [oldest] = this.#byNetwork.get(largest) ?? [];
    if (oldest === undefined) return false;
    this.#remove(largest, oldest);
    this.#metrics.count("photinus_connections_evicted_total");
    oldest.evict();
    return true;
  }

  #remove(network: string, connection: HalfOpen): void {
    const connections = this.#byNetwork.get(network);
    if (connections?.delete(connection) !== true) return;
    if (connections.size === 0) this.#byNetwork.delete(network);
    this.#count(-1);
  }

  #count(change: 1 | -1): void {
    this.#total += change;
    this.#metrics.gauge("photinus_connections_half_open", this.#total);
  }
}
