import { isMachineName, isName, isUserName, type Name, type UserName } from "./names.ts";
import type { Role } from "./participant.ts";

/** Who a certificate is for, as its SAN URI says. */
export interface Subject {
  /** Project that the name belongs to. */
  readonly project: Name;
  /** What the holder may be. */
  readonly role: Role;
  /** A server's or site's name, or a user's e-mail. */
  readonly name: Name | UserName;
}

const PREFIX = "urn:photinus:";

const USER_ROLES: ReadonlySet<string> = new Set(["project_admin", "org_admin", "lead", "member"]);

const MACHINE_ROLES: ReadonlySet<string> = new Set(["server", "site", "adapter"]);

/** True for one of the seven roles. */
export function isRole(text: string): text is Role {
  return MACHINE_ROLES.has(text) || USER_ROLES.has(text);
}

/** True for the roles that people have. */
export function isUserRole(role: Role): boolean {
  return USER_ROLES.has(role);
}

/**
 * Checks project, role and name against each other's rules.
 * @returns `undefined` when one is not what it has to be
 */
export function subjectOf(project: string, role: string, name: string): Subject | undefined {
  if (!isName(project) || !isRole(role)) return undefined;
  const isNamed = isUserRole(role) ? isUserName(name) : isMachineName(name);
  // The role decides which of the two rules the name has passed.
  return isNamed ? { project, role, name: name as Name | UserName } : undefined;
}

/** `urn:photinus:<project>:<role>:<name>`; a user's e-mail is percent-encoded. */
export function participantUrn({ project, role, name }: Subject): string {
  return `${PREFIX}${project}:${role}:${encodeURIComponent(name)}`;
}

/** `urn:photinus:<project>:enrol`, the name of the enrolment CA. */
export function enrolmentUrn(project: string): string {
  return `${PREFIX}${project}:enrol`;
}

/** The subject of a URN, or `undefined` when it is not exactly what {@link participantUrn} writes. */
export function parseParticipantUrn(urn: string): Subject | undefined {
  if (urn.length > 512 || !urn.startsWith(PREFIX)) return undefined;
  const [project = "", role = "", encodedName = "", ...rest] = urn.slice(PREFIX.length).split(":");
  const name = decoded(encodedName);
  if (rest.length > 0 || name === undefined) return undefined;
  const subject = subjectOf(project, role, name);
  // One subject has one spelling: compared as bytes everywhere.
  return subject !== undefined && participantUrn(subject) === urn ? subject : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a broken percent sequence
  }
}
