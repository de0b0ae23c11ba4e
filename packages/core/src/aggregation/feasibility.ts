import type { AggregationDefinition, RobustRule } from "./definition.ts";

/** Fewest contributions with which a rule can stand what it promises to stand. */
export function leastContributions(definition: AggregationDefinition): number {
  if (!isRobust(definition)) return 1;
  const { mixing, byzantine } = definition;
  // f bad updates spoil at most f buckets; the last bucket may be smaller than the others.
  if (mixing?.name === "bucketing") return (leastInputs(definition) - 1) * mixing.size + 1;
  return Math.max(leastInputs(definition), 2 * byzantine + 1);
}

/** True for a rule that tolerates Byzantine sites. */
export function isRobust(definition: AggregationDefinition): definition is RobustRule {
  return definition.name !== "weighted-mean" && definition.name !== "normalized-mean";
}

/** Fewest updates that the rule itself needs, behind its mixing. */
function leastInputs(definition: RobustRule): number {
  const { byzantine } = definition;
  switch (definition.name) {
    case "median":
    case "trimmed-mean":
    case "geometric-median":
    case "centered-clipping":
      return 2 * byzantine + 1; // f < n / 2: fewer than half may be bad
    case "krum":
      return 2 * byzantine + 3; // Blanchard et al. 2017, proposition 4.2: 2 f + 2 < n
    case "multi-krum":
      return Math.max(2 * byzantine + 3, definition.selected + byzantine + 2); // m ≤ n − f − 2
  }
}

/** Why a rule cannot keep its promise when `contributions` may be all there are; `undefined` when it can. */
export function infeasibility(definition: AggregationDefinition, contributions: number): string | undefined {
  const least = leastContributions(definition);
  if (contributions >= least) return undefined;
  const tolerance = isRobust(definition) ? ` with byzantine ${definition.byzantine}` : "";
  return `${definition.name}${tolerance} needs at least ${least} contributions, and ${contributions} may be all`;
}
