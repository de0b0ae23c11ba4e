import { fromHex } from "../bytes/index.ts";
import { contributionCommitted, type HeldUpdate } from "../message/index.ts";
import type { JournalEntry, TaskOutcome } from "../workflow/index.ts";
import { ignoreLostSession, refuse } from "./answer-site.ts";
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
  /** Tasks that an earlier process gave and did not finish: they are taken up again. */
  readonly #out = new Set<string>();

  constructor(jobId: string) {
    this.#jobId = jobId;
  }

  /** The receipts of earlier processes, from the journal. */
  restore(journal: ReadonlyMap<number, JournalEntry>): void {
    const collected = new Map<string, readonly TaskOutcome[]>();
    // The journal is ours: durable-context.ts wrote these values and proves them again when the workflow reads them.
    for (const { call, input, outcome } of journal.values()) {
      if (outcome.kind !== "returned") continue;
      const [taskId = ""] = input as readonly string[];
      switch (call) {
        case "broadcast":
        case "send":
          this.#out.add((outcome.value as { taskId: string }).taskId);
          break;
        case "aggregate":
          this.#out.delete(taskId);
          collected.set(taskId, (outcome.value as { outcomes: TaskOutcome[] }).outcomes);
          break;
        case "checkpoint":
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

  /** True for a task that an earlier process gave and that this one takes up again. */
  isOut(taskId: string): boolean {
    return this.#out.has(taskId);
  }

  /** The task is over. */
  close(taskId: string): void {
    this.#out.delete(taskId);
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
    if (this.#out.has(held.taskId) || (await this.send(site, held.taskId))) return;
    const code = this.has(held.taskId) ? "ERR_CONTRIBUTION_LATE" : "ERR_TASK_UNKNOWN";
    await refuse(site, held, { code, detail: "the round went on without this update" });
  }
}
