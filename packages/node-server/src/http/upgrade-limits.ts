import type { Clock, Metrics } from "@photinus/core/platform";
import type { LoginPace } from "@photinus/core/session";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { networkOf } from "./client-address.ts";
import { FairPlaces } from "./fair-places.ts";
import { KnownNetworks } from "./known-networks.ts";
import type { RequestSocketLimits } from "./request-sockets.ts";
import type { BlobLimits } from "./serve-blobs.ts";

/** Limits for peers that have not proved who they are. */
export interface UpgradeLimits extends RequestSocketLimits, BlobLimits {
  /** Upgrades of one address in a minute; an IPv6 network of 64 bits counts as one. Default 120. */
  readonly upgradesPerMinute: number;
  /** Upgrades of all addresses together in a minute, beside those where somebody proved who he is. Default 6 000. */
  readonly allUpgradesPerMinute: number;
  /** Connections of one address that have not authenticated yet. Default 64. */
  readonly halfOpenPerAddress: number;
  /**
   * Connections altogether that have not authenticated yet. Default 200: fewer than the handshakes that sessions take at
   * once, since here a newcomer may take the place of who has most.
   */
  readonly halfOpen: number;
  /** Bytes that a connection may send before it has authenticated: two handshake messages and some. Default 147 456. */
  readonly bytesBeforeAuthentication: number;
}

/** Defaults of {@link UpgradeLimits}. */
export const DEFAULT_UPGRADE_LIMITS: UpgradeLimits = {
  upgradesPerMinute: 120,
  allUpgradesPerMinute: 6_000,
  halfOpenPerAddress: 64,
  halfOpen: 200,
  bytesBeforeAuthentication: 147_456,
  requestSocketsPerAddress: 256,
  requestSockets: 4_096,
  headersMs: 10_000,
  blobReadsPerAddress: 32,
  blobReads: 256,
};

/** A connection that was let through the gate. */
export interface Passage {
  /** It has authenticated: it is no longer half-open, and its address is known. */
  authenticated(): void;
  /** It has ended. Idempotent. */
  leave(): void;
}

/** Why a connection was not let through, and when it may come again. */
export interface Refusal {
  readonly code: "ERR_RATE_LIMITED" | "ERR_BUSY";
  /** For people. */
  readonly message: string;
  /** ms after which another attempt may succeed; those who are refused together are told different times. */
  readonly retryAfterMs: number;
}

/** Counts upgrades and half-open connections. */
export interface UpgradeGate {
  /**
   * Asks for one more connection.
   * @param evict ends the connection when its place is needed for an address that has fewer
   */
  enter(address: string, evict: () => void): Promise<Passage | Refusal>;
}

/** What a gate works with. */
export interface UpgradeGateModules {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** The row of those who come back to log in; see `LoginPace`. Absent: this gate's alone. */
  readonly pace?: Pick<LoginPace, "book">;
}

/** Key of the rate of all. */
const EVERYBODY = "all addresses";
/** Shortest and longest wait that a refused peer is told, in ms. */
const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** What an address waits whose own connections hold all its places, in ms: by then their handshakes are through or over. */
const OWN_PLACES_MS = 10_000;

/** A gate in the memory of this process. */
export function upgradeGate(limits: UpgradeLimits, modules: UpgradeGateModules): UpgradeGate {
  return new Gate(limits, modules);
}

class Gate implements UpgradeGate {
  readonly #limits: UpgradeLimits;
  readonly #clock: Clock;
  readonly #rate: RateLimiterMemory;
  readonly #allRate: RateLimiterMemory;
  readonly #known = new KnownNetworks();
  readonly #halfOpen: FairPlaces;
  readonly #pace: Pick<LoginPace, "book"> | undefined;
  #nextTurnMs = 0;

  constructor(limits: UpgradeLimits, { clock, metrics, pace }: UpgradeGateModules) {
    this.#limits = limits;
    this.#clock = clock;
    this.#pace = pace;
    this.#rate = new RateLimiterMemory({ points: limits.upgradesPerMinute, duration: 60 });
    this.#allRate = new RateLimiterMemory({ points: limits.allUpgradesPerMinute, duration: 60 });
    this.#halfOpen = new FairPlaces(
      { perNetwork: limits.halfOpenPerAddress, altogether: limits.halfOpen },
      {
        onCount: (taken) => metrics.gauge("photinus_connections_half_open", taken),
        onEvicted: () => metrics.count("photinus_connections_evicted_total"),
      },
    );
  }

  async enter(remoteAddress: string, evict: () => void): Promise<Passage | Refusal> {
    const network = networkOf(remoteAddress);
    const ownWaitMs = await waitOf(this.#rate, network);
    if (ownWaitMs !== undefined) {
      const message = `too many connections from ${network} in a minute`;
      return { code: "ERR_RATE_LIMITED", message, retryAfterMs: bounded(ownWaitMs) };
    }
    // Second, so that one address that is over its own rate takes nothing from the others; and not for those from where
    // somebody came in before, so that a flood of strangers takes nothing from them.
    const isKnown = this.#known.has(network, this.#clock.now());
    if (!isKnown && (await waitOf(this.#allRate, EVERYBODY)) !== undefined) {
      const message = "too many connections from all addresses in a minute";
      return { code: "ERR_RATE_LIMITED", message, retryAfterMs: this.#turn() };
    }
    return this.#take(network, evict);
  }

  #take(network: string, evict: () => void): Passage | Refusal {
    if (this.#halfOpen.isFullFor(network)) {
      const message = "too many connections of this address wait for authentication";
      return { code: "ERR_BUSY", message, retryAfterMs: OWN_PLACES_MS };
    }
    const leave = this.#halfOpen.add(network, evict);
    if (leave === undefined) {
      const message = "too many connections wait for authentication";
      return { code: "ERR_BUSY", message, retryAfterMs: this.#turn() };
    }
    return {
      leave,
      authenticated: () => {
        this.#known.add(network, this.#clock.now());
        leave();
      },
    };
  }

  /**
   * Everybody who is sent away gets a turn of his own, at the rate at which all may come: they do not come back at once.
   * Each takes a place in the row of log-ins too, which those have whom a handshake or the end of a session sent away.
   */
  #turn(): number {
    const nowMs = this.#clock.now();
    const intervalMs = 60_000 / this.#limits.allUpgradesPerMinute;
    // Who is told the longest wait comes when there is no order any more.
    const latest = nowMs + MAX_RETRY_MS;
    this.#nextTurnMs = Math.min(latest, Math.max(nowMs + MIN_RETRY_MS, this.#nextTurnMs + intervalMs));
    return bounded(Math.max(this.#nextTurnMs - nowMs, this.#pace?.book() ?? 0));
  }
}

function bounded(waitMs: number): number {
  return Math.ceil(Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, waitMs)));
}

/** Takes one point. @returns ms to wait when there was none */
async function waitOf(rate: RateLimiterMemory, key: string): Promise<number | undefined> {
  try {
    await rate.consume(key);
    return undefined;
  } catch (cause) {
    if (!(cause instanceof RateLimiterRes)) throw cause;
    return cause.msBeforeNext;
  }
}
