import type { PolicyQuestion } from "./condition.ts";
import { defaultPolicy } from "./default-policy.ts";
import { evaluatePolicy, type Policy, type PolicyDecision } from "./policy.ts";

/** A policy that cannot be used, such as a file with a mistake: then everything is refused. */
export interface UnusablePolicy {
  /** What is wrong, for the people of this host. */
  readonly unusable: string;
}

/** The policy of now: a file may change while the program runs. */
export type PolicySource = () => Policy | UnusablePolicy;

/** What somebody wants to do. */
export type AuthorizationRequest = Omit<PolicyQuestion, "site">;

/** Decides for one site or server. FLARE: authorizer. */
export interface Authorizer {
  /** Never throws: whatever goes wrong is a refusal that says so. */
  readonly decide: (request: AuthorizationRequest) => PolicyDecision;
}

/**
 * Decides by the policy that a source holds at the time of each question; while it holds none that is usable, everything is
 * refused.
 *
 * @param org organization of the site or server that decides
 * @param source default: the default policy
 */
export function policyAuthorizer(
  org: string,
  source: PolicySource = constantSource(defaultPolicy()),
): Authorizer {
  const site = { org };
  return {
    decide(request) {
      const policy = policyOf(source);
      if (!("unusable" in policy)) return evaluatePolicy(policy, { ...request, site });
      // What is wrong, and in which file, is for the log of this host: whoever asks learns that nothing is decided here.
      return { allowed: false, path: [], why: `the policy of ${org} cannot be used at present` };
    },
  };
}

function constantSource(policy: Policy): PolicySource {
  return () => policy;
}

function policyOf(source: PolicySource): Policy | UnusablePolicy {
  try {
    return source();
  } catch {
    return { unusable: "it could not be read" };
  }
}
