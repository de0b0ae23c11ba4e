import { type Condition, fold, type PolicyQuestion } from "./condition.ts";
import { categoryOf } from "./rights.ts";

/** Keys and numbers that lead to a value of `authorization.json`. */
export type PolicyPath = readonly (string | number)[];

/** A decision of a policy, with the rule that made it. */
export interface PolicyDecision {
  /** True when the right is given. */
  readonly allowed: boolean;
  /** The entry that decided: `<role>.<right or category>`, or the role where one rule is for all; absent: there is none. */
  readonly rule?: string;
  /** The condition that decided; absent where none matched. */
  readonly condition?: string;
  /** Where in the file that stands; empty where no entry decided. */
  readonly path: PolicyPath;
  /** The above in words. */
  readonly why: string;
}

/** What is decided when a condition matches. */
export interface Verdict {
  readonly condition: Condition;
  readonly decision: PolicyDecision;
}

/** What a role, a right or a category is held against. */
export interface Control {
  /** Asked first: one that matches refuses. */
  readonly blocking: readonly Verdict[];
  /** Then these: one that matches allows. */
  readonly allowing: readonly Verdict[];
  /** When none matched: refused, unless there are blocking conditions only. */
  readonly otherwise: PolicyDecision;
}

/** A policy that was read: for each role one control for everything, or controls by right and category. */
export interface Policy {
  /** By role, folded. */
  readonly roles: ReadonlyMap<string, Control | ReadonlyMap<string, Control>>;
}

/**
 * May this user do that? As NVIDIA FLARE decides (`nvflare/fuel/sec/authz.py`): a rule of the whole role alone, else that of
 * the right, else that of its category; what no rule gives is refused, and no role passes by itself.
 */
export function evaluatePolicy({ roles }: Policy, question: PolicyQuestion): PolicyDecision {
  const role = fold(question.user.role);
  const entry = roles.get(role);
  if (entry === undefined) return refusal(`the policy has no role ${role}`);
  if ("otherwise" in entry) return decideBy(entry, question, role);
  const { right } = question;
  const category = categoryOf(right);
  // A right's own entry replaces that of its category, whatever their order in the file.
  const control = entry.get(right) ?? (category === undefined ? undefined : entry.get(category));
  if (control !== undefined) return decideBy(control, question, role);
  const orCategory = category === undefined || category === right ? "" : `, nor for its category ${category}`;
  return refusal(`role ${role} has no rule for ${right}${orCategory}`);
}

function decideBy(
  { blocking, allowing, otherwise }: Control,
  question: PolicyQuestion,
  role: string,
): PolicyDecision {
  const folded = foldTexts(question, role);
  for (const { condition, decision } of blocking) if (condition.matches(folded)) return decision;
  for (const { condition, decision } of allowing) if (condition.matches(folded)) return decision;
  return otherwise;
}

function foldTexts({ site, user, submitter, right }: PolicyQuestion, role: string): PolicyQuestion {
  return {
    site: { org: fold(site.org) },
    user: { name: fold(user.name), org: fold(user.org), role },
    submitter: submitter && { name: fold(submitter.name), org: fold(submitter.org) },
    right,
  };
}

function refusal(why: string): PolicyDecision {
  return { allowed: false, path: [], why };
}

/** Details of an audit record: the rule that decided, and its condition. */
export function decisionDetails({ rule, condition }: PolicyDecision): Readonly<Record<string, string>> {
  return { ...(rule === undefined ? {} : { rule }), ...(condition === undefined ? {} : { condition }) };
}
