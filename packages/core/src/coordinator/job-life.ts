import { type Evaluation, type JobRecord, nextJobState } from "../job/index.ts";
import { hasJobEnded, type JobEnd } from "../message/index.ts";
import type { ModelVersion } from "../workflow/index.ts";
import { CommitOrder } from "./commit-order.ts";
import type { JobContext } from "./job-context.ts";
import { cutText, endedRecord } from "./job-end.ts";

/** Longest sentence that an audit record holds: its texts have at most 1 024 bytes. */
const MAX_AUDITED = 300;

/** What is kept of one job while it goes through its states: each is durable before it has an effect. */
export class JobLife {
  readonly #context: JobContext;
  #record: JobRecord;

  constructor(record: JobRecord, context: JobContext) {
    this.#record = record;
    this.#context = context;
  }

  /** The job as it is kept. */
  get record(): JobRecord {
    return this.#record;
  }

  /** The job is given to its sites. Idempotent. */
  async dispatch(): Promise<void> {
    await this.#move("dispatch");
  }

  /** Its first task goes out. Idempotent. */
  async start(): Promise<void> {
    const startedAtMs = this.#now();
    if (!(await this.#move("start", { startedAtMs }))) return;
    await this.#audit({ outcome: "done", reason: "started" });
    this.#context.modules.plugins.emit("jobStarted", { job: this.#context.facts });
  }

  /** It ends for good. Never rejects. @returns false when it had ended, or cannot end so in its state */
  async end(end: JobEnd): Promise<boolean> {
    const { modules, board } = this.#context;
    const state = nextJobState(this.#record.state, end.outcome);
    if (state === undefined || !hasJobEnded(state)) return false;
    const ended = endedRecord(state, end, modules);
    const isKept = await this.#tryTo(async () => {
      this.#record = await modules.jobs.update(this.#record, ended);
    });
    // Whoever reads it may have the job deleted at once.
    board.changeState(state, ended.reason, { atMs: ended.endedAtMs, end });
    if (isKept) await this.#tryTo(() => this.#close(ended));
    board.log.end();
    modules.plugins.emit("jobEnded", { job: this.#context.facts, outcome: end.outcome });
    return true;
  }

  /** What follows when the end is durable. */
  async #close({ state, reason, end }: ReturnType<typeof endedRecord>): Promise<void> {
    const { modules, board, jobId } = this.#context;
    await board.persist(board.log.view.history.slice(-2).map(({ round }) => round));
    await CommitOrder.clearAll(modules.metadata, jobId);
    const { state: kept } = this.#record.last;
    if (kept !== undefined) await modules.checkpoints.delete(kept); // nothing goes on from it
    const { outcome: how, by } = end;
    const details = { how, by, detail: cutText(end.detail, MAX_AUDITED) };
    await this.#audit({ outcome: state === "finished" ? "done" : "failed", reason, details });
  }

  async #tryTo(keep: () => Promise<void>): Promise<boolean> {
    const { modules, jobId } = this.#context;
    try {
      await keep();
      return true;
    } catch (error) {
      modules.logger.error("the end of the job could not be kept", error, { jobId });
      return false;
    }
  }

  /** A version is the newest from here on. @returns the one before, unless something still names it */
  async keepVersion(model: ModelVersion): Promise<ModelVersion | undefined> {
    const { modules, board, payload, jobId } = this.#context;
    const before = this.#record.last;
    if (payload.definition.retention?.models === "every-round") await modules.jobs.keepModel(jobId, model);
    const [record] = await Promise.all([
      modules.jobs.update(this.#record, { last: model }),
      board.persist([model.version, model.version - 1]),
    ]);
    this.#record = record;
    const { last, best, initialModel } = record;
    if (payload.definition.retention?.models === "every-round") return undefined;
    const isNamed = [last.checkpoint, best?.checkpoint, initialModel].includes(before.checkpoint);
    return isNamed ? undefined : before;
  }

  /** The sites have measured a version: it may be the best so far. */
  async keepBest({ version, checkpoint }: ModelVersion, { accuracy, loss }: Evaluation): Promise<void> {
    const { best } = this.#record;
    const { bestBy = "accuracy" } = this.#context.payload.definition;
    if (best !== undefined && !isBetter({ accuracy, loss }, best, bestBy)) return;
    this.#record = await this.#context.modules.jobs.update(this.#record, {
      best: { version, checkpoint, accuracy, loss },
    });
    this.#context.modules.plugins.emit("bestModel", { job: this.#context.facts, version });
  }

  async #move(event: "dispatch" | "start", fields: Partial<JobRecord> = {}): Promise<boolean> {
    const { modules, board } = this.#context;
    const state = nextJobState(this.#record.state, event);
    if (state === undefined) return false;
    this.#record = await modules.jobs.update(this.#record, { ...fields, state });
    board.changeState(state, "", { atMs: this.#now() });
    return true;
  }

  async #audit(
    note: Pick<Parameters<JobContext["modules"]["audit"]["record"]>[0], "outcome" | "reason" | "details">,
  ): Promise<void> {
    const { modules, jobId } = this.#context;
    await modules.audit.record({ action: "job", object: jobId, correlation: jobId, ...note });
  }

  #now(): number {
    return Math.trunc(this.#context.modules.clock.now());
  }
}

type Measured = Pick<Evaluation, "accuracy" | "loss">;

function isBetter(one: Measured, other: Measured, by: "accuracy" | "loss"): boolean {
  if (by === "loss") return one.loss < other.loss;
  return one.accuracy > other.accuracy || (one.accuracy === other.accuracy && one.loss < other.loss);
}
