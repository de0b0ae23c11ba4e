import { evaluatePolicy } from "@photinus/core/authorization";
import type { CommandContext } from "../context.ts";
import { ReportedFailure } from "../exit-code.ts";
import { adviceOnRight, placeOf } from "../policy/located-policy.ts";
import { type PolicyCase, readPolicyCases } from "../policy/read-cases.ts";

/**
 * Decides every case of a file. Ends with 0 when each is as expected, with 1 when one is not, with 4 when something cannot
 * be read.
 *
 * @throws HostError `ERR_CONFIG_INVALID`, AuthorizationError `ERR_POLICY_INVALID`, with file, line and column
 */
export async function testPolicies(file: string, { terminal }: CommandContext): Promise<void> {
  const cases = (await readPolicyCases(file)).map(decided);
  for (const { passed, id, right, expect, decision, why, rulePlace, at } of cases) {
    const advice = adviceOnRight(right);
    if (advice !== undefined) terminal.note(`${at} ${advice}`);
    if (passed) continue;
    terminal.line(`failed  ${at}  ${id}: ${right} expected ${expect}, got ${decision}`);
    terminal.line(`        ${why}  ${rulePlace}`.trimEnd());
  }
  const failed = cases.filter(({ passed }) => !passed).length;
  terminal.line(`${cases.length - failed} passed, ${failed} failed`);
  terminal.result({ passed: cases.length - failed, failed, cases });
  if (failed > 0) throw new ReportedFailure(1);
}

function decided({ id, policy, question, expect, at }: PolicyCase) {
  const decision = evaluatePolicy(policy.policy, question);
  const { allowed, rule, condition, why } = decision;
  const outcome = allowed ? "allow" : "deny";
  return {
    ...{ id, right: question.right, expect, decision: outcome, passed: outcome === expect },
    ...{ rule, condition, why, rulePlace: placeOf(decision, policy), at },
  };
}
