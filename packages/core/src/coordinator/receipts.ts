import { fromHex } from "../bytes/index.ts";
import { contributionCommitted, type HeldUpdate } from "../message/index.ts";
import type { JournalEntry, TaskOutcome } from "../workflow/index.ts";
import { ignoreLostSession, refuse } from "./intake.ts";
import type { LiveSite } from "./live-site.ts";

/** Tasks whose receipts can still be given. */
const REMEMBERED_TASKS = 16;

interface CommittedTask {
  readonly version: number;
  /** Stream roots in hex by site. */
  readonly digests: ReadonlyMap<string, string>;
}

/** COMMITTED receipts of the last rounds, for sites that are told now and for those that come back and ask. */
export class Receipts {
  readonly #jobId: string;
  readonly #tasks = new Map<string, CommittedTask>();

  constructor(jobId: string) {
    this.#jobId = jobId;
  }

  /** The receipts of earlier processes, from the journal. */
  restore(journal: ReadonlyMap<number, JournalEntry>): void {
    const collected = new Map<string, readonly TaskOutcome[]>();
    for (const { call, input, outcome } of journal.values()) {
      const taskId = Array.isArray(input) && typeof input[0] === "string" ? input[0] : undefined;
      if (taskId === undefined || outcome.kind !== "returned") continue;
      // The journal is ours: durable-context.ts wrote these values and proves them again when the workflow reads them.
      if (call === "aggregate")
        collected.set(taskId, (outcome.value as { outcomes: TaskOutcome[] }).outcomes);
      if (call === "checkpoint") {
        this.commit(taskId, (outcome.value as { version: number }).version, collected.get(taskId) ?? []);
      }
    }
  }

  /** The checkpoint of a task's round is durable. */
  commit(taskId: string, version: number, outcomes: readonly TaskOutcome[]): void {
    const accepted = outcomes.filter(({ outcome, digest }) => outcome === "accepted" && digest !== "");
    this.#tasks.set(taskId, {
      version,
      digests: new Map(accepted.map(({ site, digest }) => [site, digest])),
    });
    const [oldest] = this.#tasks.keys();
    if (this.#tasks.size > REMEMBERED_TASKS && oldest !== undefined) this.#tasks.delete(oldest);
  }

  /** True when the round of this task was committed. */
  has(taskId: string): boolean {
    return this.#tasks.has(taskId);
  }

  /** Tells a site COMMITTED for a task. @returns false when its update is not part of a committed round */
  async send(site: LiveSite, taskId: string): Promise<boolean> {
    const task = this.#tasks.get(taskId);
    const digest = task?.digests.get(site.name);
    if (task === undefined || digest === undefined) return false;
    const body = { jobId: this.#jobId, taskId, root: fromHex(digest), version: task.version };
    await ignoreLostSession(site.session.send(contributionCommitted, body, { scope: this.#jobId }));
    return true;
  }

  /** Answers a site that kept an update: COMMITTED, or that it will not be asked for. */
  async answerHeld(site: LiveSite, held: HeldUpdate): Promise<void> {
    if (await this.send(site, held.taskId)) return;
    const code = this.has(held.taskId) ? "ERR_CONTRIBUTION_LATE" : "ERR_TASK_UNKNOWN";
    await refuse(site, held, { code, detail: "the round went on without this update" });
  }
}
