import {
  DEFAULT_POLICY_DOCUMENT,
  type Policy,
  type PolicyDecision,
  type PolicyPath,
  parsePolicy,
  RIGHT_CATEGORIES,
} from "@photinus/core/authorization";
import { isRole } from "@photinus/core/pki";
import { type LocatedFile, readLocatedJson } from "../located-file.ts";
import { nearestWord } from "../yaml/nearest-word.ts";

/** A policy, and where in which file each of its rules stands. */
export interface LocatedPolicy {
  readonly policy: Policy;
  /** `file:line:column` of a rule. */
  readonly locate: (path: PolicyPath) => string;
}

/** What names the policy that holds where there is no file. */
export const DEFAULT_POLICY_NAME = "default";

const ROLES = ["project_admin", "org_admin", "lead", "member", "adapter", "site", "server"];
const RIGHTS = [...Object.keys(RIGHT_CATEGORIES), ...Object.values(RIGHT_CATEGORIES).flat()];

/**
 * Reads a policy of a file, or the default one.
 * @throws AuthorizationError `ERR_POLICY_INVALID`, HostError `ERR_CONFIG_INVALID`, with file, line and column
 */
export async function readPolicy(file: string): Promise<LocatedPolicy> {
  if (file === DEFAULT_POLICY_NAME) return locatedPolicy(DEFAULT_POLICY_DOCUMENT, defaultPlace);
  const { value, locate }: LocatedFile = await readLocatedJson(file);
  return locatedPolicy(value, locate);
}

/** @throws AuthorizationError `ERR_POLICY_INVALID` */
export function locatedPolicy(document: unknown, locate: LocatedPolicy["locate"]): LocatedPolicy {
  return { policy: parsePolicy(document, locate), locate };
}

/** Where the rule of a decision stands; empty where there is none. */
export function placeOf({ path }: PolicyDecision, { locate }: LocatedPolicy): string {
  return path.length === 0 ? "" : locate(path);
}

/** What was probably meant by a right that nobody knows; a policy may name any, so it is no fault. */
export function adviceOnRight(right: string): string | undefined {
  if (RIGHTS.includes(right)) return undefined;
  const nearest = nearestWord(right, RIGHTS);
  return `no right is called ${right}${nearest === undefined ? "" : `: did you mean ${nearest}?`}`;
}

/** Roles and rights of a policy that nobody has or asks for: a slip of the pen makes a rule without effect. */
export function adviceOnPolicy({ policy, locate }: LocatedPolicy): readonly string[] {
  return [...policy.roles].flatMap(([role, entry]) => {
    const [first] = "otherwise" in entry ? [entry] : entry.values();
    const place = locate(first?.otherwise.path.slice(0, 2) ?? ["permissions", role]);
    const nearest = nearestWord(role, ROLES);
    const meant = nearest === undefined ? "" : `: did you mean ${nearest}?`;
    const ofRole = isRole(role) ? [] : [`${place} no certificate has the role ${role}${meant}`];
    const rights = "otherwise" in entry ? [] : [...entry];
    const ofRights = rights.flatMap(([right, { otherwise }]) => {
      const advice = adviceOnRight(right);
      return advice === undefined ? [] : [`${locate(otherwise.path)} ${advice}`];
    });
    return [...ofRole, ...ofRights];
  });
}

function defaultPlace(path: PolicyPath): string {
  return `${DEFAULT_POLICY_NAME}:${path.join(".")}`;
}
