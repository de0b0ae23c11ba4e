import type { OptimizerConstants, ParameterGroup } from "@photinus/core/job";

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
  const group = groups.find(({ parameters }) => parameters.some((pattern) => matches(pattern, name)));
  return { learningRateFactor: 1, weightDecay, ...group };
}

/** Parts between asterisks in order, the first at the start and the last at the end: linear, whatever the pattern. */
function matches(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return name === first;
  const last = rest.pop() ?? "";
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
    return false;
  let from = first.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const found = name.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}
