/** How long a network stays known after somebody authenticated from there: a day, in ms. */
const KNOWN_MS = 86_400_000;
/** Networks that are remembered; beyond it the one that was quiet longest is forgotten. */
const MAX_NETWORKS = 4_096;

/** Networks from which somebody has authenticated lately. For limits only: an address is never an identity. */
export class KnownNetworks {
  /** Time of the last authentication, in ms; the longest ago first. */
  readonly #lastSeenMs = new Map<string, number>();

  /** Somebody authenticated from there. */
  add(network: string, nowMs: number): void {
    this.#lastSeenMs.delete(network);
    this.#lastSeenMs.set(network, nowMs);
    const [quietest] = this.#lastSeenMs.keys();
    if (this.#lastSeenMs.size > MAX_NETWORKS && quietest !== undefined) this.#lastSeenMs.delete(quietest);
  }

  /** True when somebody authenticated from there within the last day. */
  has(network: string, nowMs: number): boolean {
    const seenMs = this.#lastSeenMs.get(network);
    return seenMs !== undefined && nowMs - seenMs <= KNOWN_MS;
  }
}
