import type { Participant, Role } from "../pki/index.ts";

/** What a person or an adapter may be allowed to do with jobs. */
export type JobRight = "submit" | "view" | "abort" | "download";

/** A decision and why. */
export type Decision =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      /** For people: the rule that decided. */
      readonly reason: string;
    };

/** Who asks, as a certificate or an identity provider says. */
export type Actor = Pick<Participant, "name" | "org" | "role">;

/** The job that a right is about. */
export interface JobFacts {
  /** Name of its submitter, from the certificate. */
  readonly submitter: string;
  /** Organization of its submitter. */
  readonly submitterOrg: string;
}

const SUBMITTERS: readonly Role[] = ["project_admin", "org_admin", "lead"];
const VIEWERS: readonly Role[] = [...SUBMITTERS, "member", "adapter"];

/**
 * Decides whether `actor` has a right to a job. What no rule allows is refused; no role passes by itself.
 *
 * @param job absent for `submit`
 */
export function decide(actor: Actor, right: JobRight, job?: JobFacts): Decision {
  switch (right) {
    case "submit":
      return allowIf(SUBMITTERS.includes(actor.role), `role ${actor.role} may not submit jobs`);
    case "view":
      return allowIf(VIEWERS.includes(actor.role), `role ${actor.role} may not view jobs`);
    case "abort":
    case "download":
      return allowIf(
        isInCharge(actor, job),
        `${right} is for the submitter and the administrators of the job`,
      );
  }
}

/** The submitter, an administrator of the submitter's organization, or of the project. */
function isInCharge(actor: Actor, job: JobFacts | undefined): boolean {
  if (job === undefined) return false;
  if (actor.role === "project_admin") return true;
  if (actor.role === "org_admin") return actor.org === job.submitterOrg;
  return SUBMITTERS.includes(actor.role) && actor.name === job.submitter;
}

function allowIf(allowed: boolean, reason: string): Decision {
  return allowed ? { allowed } : { allowed, reason };
}
