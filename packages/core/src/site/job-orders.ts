import type { AuditLog } from "../audit/index.ts";
import { type Authorizer, decideJob, decisionDetails, policyAuthorizer } from "../authorization/index.ts";
import { toHex } from "../bytes/index.ts";
import type { VerifiedObject } from "../envelope/index.ts";
import { AuthorizationError, PluginError } from "../errors/index.ts";
import type { JobAbortOrder } from "../message/index.ts";
import type { Participant } from "../pki/index.ts";
import type { PluginHost } from "../plugin/index.ts";
import type { OfferedJob, SiteModules } from "./options.ts";

/** Orders about jobs that have not come yet: a server that turns the order of things around gains nothing by it. */
const MAX_EARLY = 256;

interface EarlyOrder {
  readonly jobId: string;
  readonly signer: Participant;
  readonly expiresAt: number;
}

/** What {@link JobOrders} works with. */
export interface JobOrderModules extends Pick<SiteModules, "policy" | "plugins"> {
  /** Where decisions are recorded. Default: nowhere. */
  readonly audit?: AuditLog;
}

/**
 * The end of jobs as users order it: each order is signed by a user, relayed by the server, and decided about by the site's own
 * policy.
 */
export class JobOrders {
  readonly #authorizer: Authorizer;
  readonly #audit: AuditLog | undefined;
  readonly #plugins: PluginHost | undefined;
  /** By job and signer: an order of somebody else takes no other one's place. */
  readonly #early = new Map<string, EarlyOrder>();

  /** @param org organization of the site */
  constructor(org: string, { policy, audit, plugins }: JobOrderModules) {
    this.#plugins = plugins;
    this.#authorizer = policyAuthorizer(org, policy);
    this.#audit = audit;
  }

  /**
   * A user ends a job; signature, role, times and id have been verified.
   * @param submitter who signed the job; `undefined`: this site has no such job, and remembers the order
   * @returns true when the job ends here
   * @throws AuthorizationError `ERR_FORBIDDEN`; StorageError when the decision could not be recorded
   */
  async abort(
    { signer, expiresAt }: VerifiedObject,
    { jobId }: JobAbortOrder,
    submitter: Participant | undefined,
  ): Promise<boolean> {
    if (submitter === undefined) {
      this.#remember({ jobId, signer, expiresAt });
      return false;
    }
    const why = await this.#refusal(jobId, signer, submitter);
    if (why !== undefined) throw new AuthorizationError("ERR_FORBIDDEN", why);
    return true;
  }

  /** Why a job is not taken that somebody entitled has ended before it came; `undefined` when nobody has. */
  async endedBefore({ jobId, submitter }: OfferedJob, nowMs: number): Promise<string | undefined> {
    for (const [key, order] of [...this.#early]) {
      if (order.jobId !== jobId) continue;
      // First decided and recorded, then forgotten: the job may come again when that failed.
      const isValid = order.expiresAt > nowMs;
      const why = isValid ? await this.#refusal(jobId, order.signer, submitter) : undefined;
      this.#early.delete(key);
      if (isValid && why === undefined) return `${order.signer.name} has ended this job`;
    }
    return undefined;
  }

  async #refusal(jobId: string, actor: Participant, submitter: Participant): Promise<string | undefined> {
    const job = { submitter: submitter.name, submitterOrg: submitter.org };
    const decision = decideJob({ actor, right: "abort", job }, this.#authorizer);
    await this.#audit?.record({
      actor: `${toHex(actor.leafDigest)} ${actor.name}`,
      action: "job",
      object: jobId,
      outcome: decision.allowed ? "accepted" : "refused",
      reason: "abort",
      correlation: jobId,
      details: decisionDetails(decision),
    });
    if (!decision.allowed) return decision.why;
    const { name, role, org } = actor;
    const facts = { actor: { name, role, org }, command: "abort", object: jobId };
    try {
      await this.#plugins?.require("command", facts, { correlation: jobId });
      return undefined;
    } catch (error) {
      if (error instanceof PluginError) return error.message;
      throw error;
    }
  }

  #remember(order: EarlyOrder): void {
    const [oldest] = this.#early.keys();
    if (this.#early.size >= MAX_EARLY && oldest !== undefined) this.#early.delete(oldest);
    this.#early.set(`${order.jobId} ${toHex(order.signer.leafDigest)}`, order);
  }
}
