import type { OptimizerConstants, ParameterGroup } from "@photinus/core/job";
import { matchesPattern } from "@photinus/core/tensor";

/** What is special about one parameter. */
export interface ParameterRule {
  /** Times the learning rate. */
  readonly learningRateFactor: number;
  /** λ */
  readonly weightDecay: number;
}

/** The rule of the parameter `name`: that of the first group that names it, else the optimizer's. */
export function parameterRule(
  name: string,
  { weightDecay = 0 }: OptimizerConstants,
  groups: readonly ParameterGroup[] = [],
): ParameterRule {
  const group = groups.find(({ parameters }) => parameters.some((pattern) => matchesPattern(pattern, name)));
  return { learningRateFactor: 1, weightDecay, ...group };
}
