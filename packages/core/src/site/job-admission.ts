import type { AuditLog } from "../audit/index.ts";
import {
  type Authorizer,
  decideJob,
  decisionDetails,
  type PolicyDecision,
  policyAuthorizer,
} from "../authorization/index.ts";
import { toHex } from "../bytes/index.ts";
import type { JobPayload } from "../job/index.ts";
import type { Clock } from "../platform/index.ts";
import { declineReason, type SiteFacts } from "./job-limits.ts";
import { JobOrders } from "./job-orders.ts";
import { type PrivacyModules, privacyModules, privacyRefusal } from "./job-privacy.ts";
import type { OfferedJob, SiteModules } from "./options.ts";

/** A reason as long as a message may have it, not cut within a character. */
export function cutReason(reason: string): string {
  return reason.slice(0, 500).replace(/\p{Cs}$/u, "");
}

/** Decides whether a job may be considered at a site, before a person or a trainer hears of it. */
export class JobAdmission {
  /** Ends of jobs that users have ordered. */
  readonly orders: JobOrders;
  /** What the privacy of every job rests on. */
  readonly privacy: PrivacyModules;
  readonly #org: string;
  readonly #authorizer: Authorizer;
  readonly #audit: AuditLog | undefined;
  readonly #clock: Pick<Clock, "now">;

  /** @param org organization of the site */
  constructor(org: string, modules: SiteModules) {
    const { policy, audit, clock } = modules;
    this.privacy = privacyModules(modules);
    this.orders = new JobOrders(org, modules);
    this.#clock = clock;
    this.#org = org;
    this.#authorizer = policyAuthorizer(org, policy);
    this.#audit = audit;
  }

  /**
   * The site's own policy decides about the one who signed the job, whatever the server admitted; then come its scope and
   * filters, and the limits.
   * The decision is recorded before it has an effect.
   *
   * @returns why the site takes no part; `undefined` when nothing speaks against it
   * @throws StorageError when the decision could not be recorded
   */
  async refusalOf(proposal: OfferedJob, payload: JobPayload, facts: SiteFacts): Promise<string | undefined> {
    const ended = await this.orders.endedBefore(proposal, this.#clock.now());
    if (ended !== undefined) return ended;
    const decision = decideJob({ actor: proposal.submitter, right: "submit" }, this.#authorizer);
    if (!decision.allowed) {
      await this.#record(proposal, decision, "ERR_FORBIDDEN");
      return `policy of ${this.#org}: ${decision.why}`;
    }
    const reason = privacyRefusal(proposal, this.privacy) ?? declineReason(payload, facts);
    await this.#record(proposal, decision, reason === undefined ? undefined : "ERR_JOB_DECLINED");
    return reason;
  }

  async #record(
    { jobId, submitter }: OfferedJob,
    decision: PolicyDecision,
    refusal: "ERR_FORBIDDEN" | "ERR_JOB_DECLINED" | undefined,
  ): Promise<void> {
    await this.#audit?.record({
      actor: `${toHex(submitter.leafDigest)} ${submitter.name}`,
      action: "job",
      object: jobId,
      outcome: refusal === undefined ? "accepted" : "refused",
      reason: refusal ?? "submit",
      correlation: jobId,
      details: decisionDetails(decision),
    });
  }
}
