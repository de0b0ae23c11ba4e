import { WireError } from "@photinus/core/errors";
import type { Metrics } from "@photinus/core/platform";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";

/** Limits for peers that have not proved who they are. */
export interface UpgradeLimits {
  /** Upgrades of one address in a minute. Default 120. */
  readonly upgradesPerMinute: number;
  /** Connections of one address that have not authenticated yet. Default 64. */
  readonly halfOpenPerAddress: number;
  /** Connections altogether that have not authenticated yet. Default 256. */
  readonly halfOpen: number;
}

/** Defaults of {@link UpgradeLimits}. */
export const DEFAULT_UPGRADE_LIMITS: UpgradeLimits = {
  upgradesPerMinute: 120,
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

/** A gate in the memory of this process. */
export function upgradeGate(limits: UpgradeLimits, metrics: Metrics): UpgradeGate {
  const rate = new RateLimiterMemory({ points: limits.upgradesPerMinute, duration: 60 });
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
    async enter(address) {
      await consume(rate, address);
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
