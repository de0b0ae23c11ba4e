import type { Participant } from "../pki/index.ts";
import type { Decision } from "./decide.ts";

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

/**
 * Decides whether `actor`, as his certificate says who he is, may give an order. What no rule allows is refused.
 * An administrator of an organization acts for that organization only; a site may invite a further device of its own.
 */
export function decideOrder(actor: Participant, order: AdministrationOrder): Decision {
  if (actor.role === "project_admin") return { allowed: true };
  switch (order.kind) {
    case "invite":
      if (actor.role === "site") {
        const isOwn = order.name === actor.name && order.org === actor.org;
        return allowIf(isOwn, "a site invites further devices of its own and nobody else");
      }
      return ofOwnOrganization(actor, order.org);
    case "withdraw":
    case "revoke":
      return ofOwnOrganization(actor, order.org);
    case "approve":
    case "deny":
    case "suspend":
    case "resume":
      return { allowed: false, reason: `${order.kind} is for administrators of the project` };
  }
}

function ofOwnOrganization(actor: Participant, org: string): Decision {
  const isOwn = actor.role === "org_admin" && actor.org === org;
  return allowIf(isOwn, `${actor.role} of ${actor.org} does not administer ${org}`);
}

function allowIf(allowed: boolean, reason: string): Decision {
  return allowed ? { allowed } : { allowed, reason };
}
