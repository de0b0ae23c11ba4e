import type { Participant } from "../pki/index.ts";
import type { AuthorizationRequest, Authorizer } from "./authorizer.ts";
import type { PolicyDecision } from "./policy.ts";

/** A command of administration, as far as the right to it depends on it. */
export type AdministrationOrder =
  /** Somebody may join: in an organization, under one name or a new one. */
  | { readonly kind: "invite"; readonly org: string; readonly name: string | undefined }
  /** An invite of an organization ends. */
  | { readonly kind: "withdraw"; readonly org: string }
  /** A certificate of the enrolment CA, of an organization, is revoked. */
  | { readonly kind: "revoke"; readonly org: string }
  /** Requests are decided, certificates suspended and resumed: for the project as a whole. */
  | { readonly kind: "approve" | "deny" | "suspend" | "resume" };

/** Names of the rights in policies. */
const POLICY_RIGHT: Readonly<Record<AdministrationOrder["kind"], string>> = {
  invite: "invite",
  withdraw: "withdraw_invite",
  revoke: "revoke_certificate",
  approve: "approve_request",
  deny: "deny_request",
  suspend: "suspend",
  resume: "resume",
};

/**
 * Decides whether `actor`, as his certificate says who he is, may give an order. The policy decides; in it the one whom an
 * order is about stands for the submitter. No policy gives an order beyond the reach of a role: an administrator of an
 * organization acts for that organization only, a site invites devices of its own and nobody else.
 */
export function decideOrder(
  actor: Participant,
  order: AdministrationOrder,
  authorizer: Authorizer,
): PolicyDecision {
  const beyond = beyondReach(actor, order);
  if (beyond !== undefined) return { allowed: false, path: [], why: beyond };
  const { name, org, role } = actor;
  return authorizer.decide({
    user: { name, org, role },
    submitter: subjectOf(order),
    right: POLICY_RIGHT[order.kind],
  });
}

function beyondReach(actor: Participant, order: AdministrationOrder): string | undefined {
  if (actor.role === "project_admin") return undefined;
  switch (order.kind) {
    case "invite":
      if (actor.role === "site") {
        const isOwn = order.name === actor.name && order.org === actor.org;
        return isOwn ? undefined : "a site invites further devices of its own and nobody else";
      }
      return beyondOrganization(actor, order.org);
    case "withdraw":
    case "revoke":
      return beyondOrganization(actor, order.org);
    case "approve":
    case "deny":
    case "suspend":
    case "resume":
      return `${order.kind} is for administrators of the project`;
  }
}

function beyondOrganization({ role, org: own }: Participant, org: string): string | undefined {
  const isOwn = role === "org_admin" && own === org;
  return isOwn ? undefined : `${role} of ${own} does not administer ${org}`;
}

function subjectOf(order: AdministrationOrder): AuthorizationRequest["submitter"] {
  if (!("org" in order)) return undefined;
  return { name: order.kind === "invite" ? (order.name ?? "") : "", org: order.org };
}
