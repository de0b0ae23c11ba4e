import { WireError } from "@photinus/core/errors";
import type { Metrics } from "@photinus/core/platform";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { networkOf } from "./client-address.ts";

/** Limits for peers that have not proved who they are. */
export interface UpgradeLimits {
  /** Upgrades of one address in a minute; an IPv6 network of 64 bits counts as one. Default 120. */
  readonly upgradesPerMinute: number;
  /** Upgrades of all addresses together in a minute. Default 6 000. */
  readonly allUpgradesPerMinute: number;
  /** Connections of one address that have not authenticated yet. Default 64. */
  readonly halfOpenPerAddress: number;
  /** Connections altogether that have not authenticated yet. Default 256. */
  readonly halfOpen: number;
}

/** Defaults of {@link UpgradeLimits}. */
export const DEFAULT_UPGRADE_LIMITS: UpgradeLimits = {
  upgradesPerMinute: 120,
  allUpgradesPerMinute: 6_000,
  halfOpenPerAddress: 64,
  halfOpen: 256,
};

/** Counts upgrades and half-open connections. */
export interface UpgradeGate {
  /**
   * Asks for one more connection.
   * @returns what to call once when the connection has authenticated or ended
   * @throws WireError `ERR_RATE_LIMITED` or `ERR_BUSY`
   */
  enter(address: string): Promise<() => void>;
}

/** Key of the rate of all. */
const EVERYBODY = "all addresses";

/** A gate in the memory of this process. */
export function upgradeGate(limits: UpgradeLimits, metrics: Metrics): UpgradeGate {
  const rate = new RateLimiterMemory({ points: limits.upgradesPerMinute, duration: 60 });
  const allRate = new RateLimiterMemory({ points: limits.allUpgradesPerMinute, duration: 60 });
  const perAddress = new Map<string, number>();
  let total = 0;
  const add = (address: string, change: 1 | -1): void => {
    total += change;
    const count = (perAddress.get(address) ?? 0) + change;
    if (count === 0) perAddress.delete(address);
    else perAddress.set(address, count);
    metrics.gauge("photinus_connections_half_open", total);
  };
  return {
    async enter(remoteAddress) {
      const address = networkOf(remoteAddress);
      await consume(rate, address);
      // Second, so that one address that is over its own rate takes nothing from the others.
      await consume(allRate, EVERYBODY);
      if (total >= limits.halfOpen || (perAddress.get(address) ?? 0) >= limits.halfOpenPerAddress) {
        throw new WireError("ERR_BUSY", "too many connections wait for authentication");
      }
      add(address, 1);
      let hasLeft = false;
      return () => {
        if (!hasLeft) add(address, -1);
        hasLeft = true;
      };
    },
  };
}

async function consume(rate: RateLimiterMemory, address: string): Promise<void> {
  try {
    await rate.consume(address);
  } catch (cause) {
    if (!(cause instanceof RateLimiterRes)) throw cause;
    throw new WireError("ERR_RATE_LIMITED", `too many connections from ${address} in a minute`);
  }
}
