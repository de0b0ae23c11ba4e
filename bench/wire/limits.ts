import type { UpgradeLimits } from "@photinus/node-server";

/** All clients of a benchmark share one address: limits by address would measure themselves. */
export const BENCH_LIMITS: Partial<UpgradeLimits> = {
  upgradesPerMinute: 1_000_000,
  allUpgradesPerMinute: 1_000_000,
  halfOpenPerAddress: 256,
  halfOpen: 256,
};
