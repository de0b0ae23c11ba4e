export type {
  Aggregate,
  Aggregator,
  AggregatorFactory,
  AggregatorModules,
  AggregatorRegistry,
  Contribution,
} from "./aggregator.ts";
export { aggregatorRegistry } from "./registry.ts";
export { measureUpdate } from "./update.ts";
export { weightedMean } from "./weighted-mean.ts";
