/** How many places there are. */
export interface PlaceLimits {
  /** For one network. */
  readonly perNetwork: number;
  /** For all. */
  readonly altogether: number;
}

/** Who hears of changes. */
export interface PlaceListeners {
  /** Called with the number of places that are taken. */
  readonly onCount?: (taken: number) => void;
  /** Called when somebody had to give his place up. */
  readonly onEvicted?: () => void;
}

interface Taken {
  readonly evict: () => void;
}

/**
 * Places for strangers. When all are taken, a newcomer gets that of the oldest connection of the network that has the
 * most, so that nobody locks others out by holding connections open.
 */
export class FairPlaces {
  readonly #limits: PlaceLimits;
  readonly #listeners: PlaceListeners;
  /** By network, oldest first. */
  readonly #byNetwork = new Map<string, Set<Taken>>();
  #total = 0;

  constructor(limits: PlaceLimits, listeners: PlaceListeners = {}) {
    this.#limits = limits;
    this.#listeners = listeners;
  }

  /** True when this network may not have one more, whatever the others have. */
  isFullFor(network: string): boolean {
    return this.#countOf(network) >= this.#limits.perNetwork;
  }

  /**
   * @param evict called when the place is needed for a network that has fewer
   * @returns what to call when it is not needed any more, idempotent; `undefined`: there is no place
   */
  add(network: string, evict: () => void): (() => void) | undefined {
    if (this.#total >= this.#limits.altogether && !this.#makeRoomFor(network)) return undefined;
    const place: Taken = { evict };
    const places = this.#byNetwork.get(network) ?? new Set();
    places.add(place);
    this.#byNetwork.set(network, places);
    this.#count(1);
    return () => this.#remove(network, place);
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
    this.#listeners.onEvicted?.();
    oldest.evict();
    return true;
  }

  #remove(network: string, place: Taken): void {
    const places = this.#byNetwork.get(network);
    if (places?.delete(place) !== true) return;
    if (places.size === 0) this.#byNetwork.delete(network);
    this.#count(-1);
  }

  #count(change: 1 | -1): void {
    this.#total += change;
    this.#listeners.onCount?.(this.#total);
  }
}
