import type { AggregatorFactory, AggregatorRegistry } from "./aggregator.ts";
import { weightedMean } from "./weighted-mean.ts";

/** The aggregators that come with Photinus, by name, and `more`. */
export function aggregatorRegistry(
  more: Iterable<readonly [name: string, factory: AggregatorFactory]> = [],
): AggregatorRegistry {
  return new Map([["weighted-mean", weightedMean], ...more]);
}
