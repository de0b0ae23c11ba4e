export type {
  Aggregate,
  Aggregator,
  AggregatorFactory,
  AggregatorModules,
  AggregatorRegistry,
  Contribution,
} from "./aggregator.ts";
export { MAX_LOCAL_WORK } from "./aggregator.ts";
export { controlVariates } from "./control-variates.ts";
export {
  type AggregationDefinition,
  AggregationSchema,
  type CenteredClippingDefinition,
  type GeometricMedianDefinition,
  type KrumDefinition,
  type MedianDefinition,
  type Mixing,
  type MultiKrumDefinition,
  type NormalizedMeanDefinition,
  type RobustDefinition,
  type RobustRule,
  type TrimmedMeanDefinition,
  type WeightedMeanDefinition,
} from "./definition.ts";
export { infeasibility, isRobust, leastContributions } from "./feasibility.ts";
export { aggregatorRegistry } from "./registry.ts";
export { robust } from "./robust-aggregator.ts";
export { serverOptimizer } from "./server-optimizer.ts";
export {
  type ServerAdaptiveDefinition,
  type ServerMomentumDefinition,
  type ServerOptimizerDefinition,
  ServerOptimizerSchema,
} from "./server-optimizer-definition.ts";
export type { AggregatedRound, ServerStep } from "./server-step.ts";
export { measureUpdate } from "./update.ts";
export { weightedMean } from "./weighted-mean.ts";
