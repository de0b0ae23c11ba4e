import type { AggregatorFactory, AggregatorRegistry } from "./aggregator.ts";
import type { AggregationDefinition } from "./definition.ts";
import { robust } from "./robust-aggregator.ts";
import { weightedMean } from "./weighted-mean.ts";

const BUILT_IN: Readonly<Record<AggregationDefinition["name"], AggregatorFactory>> = {
  "weighted-mean": weightedMean,
  "normalized-mean": weightedMean,
  median: robust,
  "trimmed-mean": robust,
  "geometric-median": robust,
  "centered-clipping": robust,
  krum: robust,
  "multi-krum": robust,
};

/** The aggregators that come with Photinus, by name, and `more`. */
export function aggregatorRegistry(
  more: Iterable<readonly [name: string, factory: AggregatorFactory]> = [],
): AggregatorRegistry {
  return new Map([...Object.entries(BUILT_IN), ...more]);
}
