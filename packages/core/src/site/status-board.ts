import type { OfferedJob } from "./options.ts";
import type { OutgoingContribution, SiteJobStatus, SiteStatus } from "./status.ts";

/** Contributions that the status keeps. */
const OUTGOING_KEPT = 64;

const STOPPED: SiteStatus = {
  activity: "stopped",
  progress: 0,
  trainingLoss: undefined,
  retryAtMs: undefined,
  fault: undefined,
  job: undefined,
  outgoing: [],
  committed: 0,
  bytesUp: 0,
  bytesDown: 0,
};

/** The status of a site and who watches it. */
export class StatusBoard {
  #status: SiteStatus = STOPPED;
  readonly #listeners = new Set<(status: SiteStatus) => void>();

  /** The status now. */
  get status(): SiteStatus {
    return this.#status;
  }

  /** Calls `listener` after each change. @returns ends it */
  watch(listener: (status: SiteStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes some fields. */
  update(fields: Partial<SiteStatus>): void {
    this.#status = { ...this.#status, ...fields };
    for (const listener of this.#listeners) listener(this.#status);
  }

  /** Begins to show a job. */
  showJob(job: SiteJobStatus): void {
    if (this.#status.job?.jobId !== job.jobId) this.update({ job });
  }

  /** Changes some fields of the job that is shown. */
  updateJob(jobId: string, change: (job: SiteJobStatus) => Partial<SiteJobStatus>): void {
    const { job } = this.#status;
    if (job?.jobId === jobId) this.update({ job: { ...job, ...change(job) } });
  }

  /** A contribution leaves. */
  addOutgoing(contribution: OutgoingContribution): void {
    const others = this.#status.outgoing.filter(({ digest }) => digest !== contribution.digest);
    this.update({ outgoing: [...others, contribution].slice(-OUTGOING_KEPT) });
  }

  /** The server answered a contribution. */
  answered(digest: string, receipt: OutgoingContribution["receipt"], cause: string): void {
    const { outgoing, committed } = this.#status;
    const index = outgoing.findIndex((contribution) => contribution.digest === digest);
    const found = outgoing[index];
    if (found === undefined || found.receipt === receipt) return;
    this.update({
      outgoing: outgoing.with(index, { ...found, receipt, cause }),
      committed: committed + (receipt === "committed" ? 1 : 0),
    });
  }
}

/** The entries of rounds with one more, in place of the one that its round had: a round may be repeated. */
export function atRound<Entry extends { readonly round: number }>(
  entries: readonly Entry[],
  entry: Entry,
): readonly Entry[] {
  return [...entries.filter(({ round }) => round !== entry.round), entry];
}

/** A job of which nothing was done yet. */
export function newJobStatus({ jobId, definition, submitter }: OfferedJob): SiteJobStatus {
  return {
    jobId,
    name: definition.name,
    purpose: definition.purpose,
    submitter: submitter.name,
    rounds: definition.workflow.rounds,
    device: "",
    trainingExamples: 0,
    heldOutExamples: 0,
    round: 0,
    evaluations: [],
    losses: [],
  };
}
