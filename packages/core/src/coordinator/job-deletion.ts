import { JobError } from "../errors/index.ts";
import type { JobRecord } from "../job/index.ts";
import { hasJobEnded } from "../message/index.ts";
import type { Timer } from "../platform/index.ts";
import { clearJournal } from "../workflow/index.ts";
import { CommitOrder } from "./commit-order.ts";
import type { JobModules } from "./job-context.ts";
import { SERVER } from "./job-end.ts";

/** How often jobs are looked for whose time is up. */
const SWEEP_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Who has a job deleted, and why. */
export interface DeletionRequest {
  /** Name of the user. */
  readonly by: string;
  /** For people; may be empty. */
  readonly reason: string;
}

/**
 * Deletes jobs: by the order of a user, or when their time is up. The record stays and says so before anything is removed, so
 * that a crash in between loses nothing but time, and that neither the job nor a late result of it comes back.
 */
export class JobDeletions {
  readonly #modules: JobModules;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(modules: JobModules) {
    this.#modules = modules;
  }

  /** Goes on with what an earlier process began, and looks for jobs whose time is up, now and every hour. Never rejects. */
  async start(): Promise<void> {
    try {
      await this.#sweep();
    } catch (error) {
      this.#modules.logger.error("jobs whose time is up stay for now", error);
    }
    if (!this.#isStopped) this.#timer = this.#modules.clock.after(SWEEP_MS, () => void this.start());
  }

  /** Looks no more. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** @throws JobError `ERR_JOB_NOT_ENDED`, `ERR_JOB_UNKNOWN`, `ERR_JOB_DELETED`; StorageError */
  async delete(jobId: string, { by, reason }: DeletionRequest): Promise<void> {
    const { jobs, audit, clock } = this.#modules;
    const record = await jobs.get(jobId);
    if (!hasJobEnded(record.state)) throw new JobError("ERR_JOB_NOT_ENDED", `the job is ${record.state}`);
    await audit.record({
      action: "job",
      object: jobId,
      outcome: "done",
      reason: "deleted",
      correlation: jobId,
      details: { by, why: reason },
    });
    const deletion = { by, reason, atMs: Math.trunc(clock.now()), isDone: false };
    await this.#remove(await jobs.update(record, { deletion }));
  }

  async #sweep(): Promise<void> {
    for (const record of await this.#modules.jobs.listAll()) {
      try {
        await this.#sweepOne(record);
      } catch (error) {
        // What is stored of this job does not open or does not go: the others' time is up all the same.
        const { jobId } = record;
        this.#modules.logger.error("a job whose time is up stays for now", error, { jobId });
      }
    }
  }

  async #sweepOne(record: JobRecord): Promise<void> {
    const { jobId, deletion, endedAtMs, retainDays } = record;
    if (deletion?.isDone === false) await this.#remove(record);
    if (deletion !== undefined || retainDays === undefined || endedAtMs === undefined) return;
    if (endedAtMs + retainDays * DAY_MS > this.#modules.clock.now()) return;
    await this.delete(jobId, { by: SERVER, reason: `kept for ${retainDays} days, as the job says` });
  }

  async #remove(record: JobRecord): Promise<void> {
    const { jobs, checkpoints, metadata } = this.#modules;
    const { jobId, object, graph, initialModel, last, best, deletion } = record;
    const models = (await jobs.models(jobId)).map(({ checkpoint }) => checkpoint);
    const blobs = [object, graph, initialModel, last.checkpoint, last.state, best?.checkpoint, ...models];
    for (const blob of new Set(blobs)) if (blob !== undefined) await checkpoints.delete(blob);
    await clearJournal(jobId, this.#modules);
    await CommitOrder.clearAll(metadata, jobId);
    await jobs.dropNotes(jobId);
    if (deletion !== undefined) await jobs.update(record, { deletion: { ...deletion, isDone: true } });
  }
}
