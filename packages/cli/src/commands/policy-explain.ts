import {
  DEFAULT_POLICY_DOCUMENT,
  evaluatePolicy,
  type PolicyQuestion,
  RIGHT_CATEGORIES,
} from "@photinus/core/authorization";
import { HostError } from "@photinus/core/errors";
import { DEFAULT_PRIVACY_DOCUMENT } from "@photinus/core/filter";
import { DEFAULT_RESOURCES_DOCUMENT } from "@photinus/core/site";
import type { CommandContext } from "../context.ts";
import { adviceOnPolicy, adviceOnRight, placeOf, readPolicy } from "../policy/located-policy.ts";
import type { PolicyKind } from "../policy/policy-kind.ts";
import { printDocument } from "../print-document.ts";

/** Options of `photinus policy explain`. */
export interface PolicyExplainOptions {
  readonly role: string;
  readonly org: string;
  readonly name: string;
  readonly siteOrg: string;
  readonly submitterName?: string;
  readonly submitterOrg?: string;
  readonly right?: string;
}

/** Says what a policy decides about one right or all of them. That it refuses is an answer, not a failure. */
export async function explainPolicy(
  file: string,
  options: PolicyExplainOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const located = await readPolicy(file);
  for (const advice of adviceOnPolicy(located)) terminal.note(advice);
  const advice = options.right === undefined ? undefined : adviceOnRight(options.right);
  if (advice !== undefined) terminal.note(advice);
  const rights = options.right === undefined ? Object.values(RIGHT_CATEGORIES).flat() : [options.right];
  const decisions = rights.map((right) => {
    const decision = evaluatePolicy(located.policy, questionOf(right, options));
    const { allowed, rule, condition, why } = decision;
    return { right, allowed, rule, condition, why, at: placeOf(decision, located) };
  });
  const width = Math.max(...rights.map((right) => right.length));
  for (const { right, allowed, why, at } of decisions) {
    terminal.line(`${allowed ? "allowed" : "refused"}  ${right.padEnd(width)}  ${why}  ${at}`.trimEnd());
  }
  terminal.result({ decisions });
}

function questionOf(
  right: string,
  { role, org, name, siteOrg, submitterName, submitterOrg }: PolicyExplainOptions,
): PolicyQuestion {
  if ((submitterName === undefined) !== (submitterOrg === undefined)) {
    throw new HostError("ERR_CONFIG_INVALID", "--submitter-name and --submitter-org belong together");
  }
  const submitter =
    submitterName === undefined || submitterOrg === undefined
      ? undefined
      : { name: submitterName, org: submitterOrg };
  return { site: { org: siteOrg }, user: { name, org, role }, submitter, right };
}

/** Prints the policy that holds where there is no authorization.json, or the privacy.json that kits ship. */
export function printDefaultPolicy(which: PolicyKind, { terminal }: CommandContext): void {
  const documents = {
    authorization: DEFAULT_POLICY_DOCUMENT,
    privacy: DEFAULT_PRIVACY_DOCUMENT,
    resources: DEFAULT_RESOURCES_DOCUMENT,
  };
  printDocument(documents[which], terminal);
}
