import { type Bytes, equalBytes, fromHex, toHex } from "../bytes/index.ts";
import { JobError, PhotinusError, TrainingError } from "../errors/index.ts";
import {
  type JobPayload,
  layoutOfChange,
  layoutOfControl,
  layoutOfTable,
  layoutOfUpdate,
  needAt,
} from "../job/index.ts";
import {
  type BlobReference,
  contribution,
  evaluationResult,
  type HeldUpdate,
  jobAccept,
  jobDecline,
  jobPostpone,
  jobReady,
  type MessageDefinition,
  type Task,
  taskFailed,
  taskProgress,
} from "../message/index.ts";
import type { SendOptions } from "../session/index.ts";
import type { TensorLayout } from "../tensor/index.ts";
import type { Held, HeldEvaluation } from "./held-answer.ts";
import { holdUpdate, type UpdatingJob } from "./hold-update.ts";
import { cutReason } from "./job-admission.ts";
import { JobPlace } from "./job-place.ts";
import { JobPlugins } from "./job-plugins.ts";
import { JobPrivacy } from "./job-privacy.ts";
import { type LocalAlgorithm, type LocalOutcome, type LocalTask, localAlgorithm } from "./local/index.ts";
import type { JobDecision, OfferedJob } from "./options.ts";
import { ProgressReporter } from "./progress-reporter.ts";
import type { SiteJobModules } from "./site-job-modules.ts";
import { atRound, newJobStatus } from "./status-board.ts";
import { taskSeed } from "./task-seed.ts";
import { shownEvaluation, toldEvaluation } from "./told-evaluation.ts";
import type { PreparedTrainer, Trainer, TrainOptions } from "./trainer.ts";
import { tensorsIn } from "./update.ts";

/** One job at one site: decided once, prepared once, then task after task until it ends. */
export class SiteJob {
  readonly #proposal: OfferedJob;
  readonly #payload: JobPayload;
  readonly #modules: SiteJobModules;
  readonly #modelLayout: TensorLayout;
  readonly #updateLayout: TensorLayout;
  readonly #privacy: JobPrivacy;
  readonly #plugins: JobPlugins;
  readonly #end = new AbortController();
  readonly #place: JobPlace;
  #hasAccepted = false;
  /** Version of the text that a person agreed to; empty when a policy decided. */
  #terms = "";
  /** Why it takes no part, while the server has not been told: there was no session. */
  #untold: string | undefined;
  #prepared: Omit<PreparedTrainer, "rejected"> | undefined;
  #trainer: Trainer | undefined;
  #local: LocalAlgorithm | undefined;
  /** The task at work, and what ends it. */
  #task: { readonly taskId: string; readonly stop: AbortController; hasModel: boolean } | undefined;
  #held: Held | undefined;
  #measured: HeldEvaluation | undefined;

  constructor(proposal: OfferedJob, payload: JobPayload, modules: SiteJobModules) {
    this.#proposal = proposal;
    this.#payload = payload;
    this.#modules = modules;
    this.#modelLayout = layoutOfTable(payload.parameters);
    this.#updateLayout = layoutOfUpdate(payload);
    this.#privacy = new JobPrivacy(proposal, modules.privacy);
    this.#plugins = new JobPlugins(proposal, modules, this.#end.signal);
    const { jobId, definition } = proposal;
    const need = needAt(definition.deployment, modules.siteName);
    const postpone = (reason: string): Promise<void> => this.#send(jobPostpone, { jobId, reason });
    this.#place = new JobPlace({ jobId, need }, { ...modules, postpone, signal: this.#end.signal });
  }

  /** True while it waits here for other jobs to end. */
  get isWaiting(): boolean {
    return this.#place.isWaiting;
  }

  /** Who signed the job. */
  get submitter(): OfferedJob["submitter"] {
    return this.#proposal.submitter;
  }

  /** True once tasks may come: the graph need not be sent again. */
  get isPrepared(): boolean {
    return this.#prepared !== undefined;
  }

  /** The update that is kept, if any. */
  get held(): HeldUpdate | undefined {
    if (this.#held === undefined) return undefined;
    const { jobId, taskId } = this.#held.body;
    return { jobId, taskId };
  }

  /** Messages of tasks that need not come again: they are at work with their model, or their answer is kept. */
  get acknowledged(): readonly Bytes[] {
    const task = this.#task?.hasModel === true ? this.#task.taskId : undefined;
    const known = [task, this.#held?.body.taskId, this.#measured?.body.taskId];
    return [...new Set(known)].flatMap((taskId) => (taskId === undefined ? [] : [fromHex(taskId)]));
  }

  /** Asks whether this site takes part, and tells the server. Never rejects. */
  async decide(): Promise<void> {
    const { board } = this.#modules;
    const decision = await this.#decision().catch((error: unknown) => ({
      declined: error instanceof Error ? error.message : "no decision",
    }));
    if (this.#end.signal.aborted) return;
    const { jobId } = this.#proposal;
    if (decision !== "accept" && "declined" in decision) {
      this.#privacy.end();
      this.#place.release();
      board.update({ activity: "waiting" });
      this.#plugins.decided(decision.declined);
      await this.#decline(cutReason(decision.declined));
      return;
    }
    this.#hasAccepted = true;
    this.#plugins.decided();
    this.#terms = decision === "accept" ? "" : decision.agreedTo;
    board.showJob(newJobStatus(this.#proposal));
    board.update({ activity: "preparing" });
    await this.#send(jobAccept, { jobId, terms: this.#terms });
  }

  /**
   * Nobody is asked before the job has its place, and a job that would overspend is declined; it begins when it has still, or
   * again, what it needs.
   */
  async #decision(): Promise<JobDecision> {
    const { board, decideJob, siteName } = this.#modules;
    await this.#plugins.beforeDeployment(needAt(this.#proposal.definition.deployment, siteName));
    await this.#privacy.begin();
    await this.#place.take();
    board.update({ activity: "deciding", progress: 0 });
    const decision = await decideJob({ ...this.#proposal, scope: this.#privacy.scope }, this.#end.signal);
    if (decision === "accept" || "agreedTo" in decision) await this.#place.confirm();
    return decision;
  }

  /** A new session began: says again where this job stands, and sends again what it keeps. */
  async reannounce(): Promise<void> {
    const { jobId } = this.#proposal;
    if (!this.#hasAccepted) {
      if (this.#untold === undefined) await this.#place.tellAgain();
      else await this.#decline(this.#untold);
      return;
    }
    await this.#send(jobAccept, { jobId, terms: this.#terms });
    if (this.#prepared === undefined) return;
    await this.#send(jobReady, { jobId, ...this.#prepared });
    if (this.#held !== undefined) this.#inBackground(this.#upload(this.#held), this.#held.body);
    await this.#sendMeasured();
  }

  async #decline(reason: string): Promise<void> {
    this.#untold = this.#modules.session() === undefined ? reason : undefined;
    await this.#send(jobDecline, { jobId: this.#proposal.jobId, reason });
  }

  /** The server told where the graph is. Returns at once. */
  graph(reference: BlobReference): void {
    if (!this.#hasAccepted || this.#prepared !== undefined || this.#trainer !== undefined) return;
    this.#inBackground(this.#prepare(reference), undefined);
  }

  /** The server gave a task. Returns at once; an earlier task ends, unless it is the same. */
  task(task: Task): void {
    if (this.#prepared === undefined || this.#end.signal.aborted) return;
    const { rounds } = this.#payload.definition.workflow;
    if (task.round > rounds) {
      // The submitter signed so many rounds and this site agreed to them: no server adds to that.
      const refusal = new JobError("ERR_JOB_INVALID", `round ${task.round} of a job of ${rounds} rounds`);
      this.#inBackground(Promise.reject(refusal), task);
      return;
    }
    if (this.#held?.body.taskId === task.taskId) {
      this.#inBackground(this.#upload(this.#held), task);
      return;
    }
    if (this.#measured?.body.taskId === task.taskId) {
      this.#inBackground(this.#sendMeasured(), task);
      return;
    }
    if (this.#task?.taskId === task.taskId) return; // at work, sent again after a reconnect
    this.#task?.stop.abort(new JobError("ERR_TASK_UNKNOWN", "another task came"));
    const stop = new AbortController();
    this.#task = { taskId: task.taskId, stop, hasModel: false };
    const timer = this.#modules.clock.after(task.timeoutMs, () =>
      stop.abort(new JobError("ERR_TASK_TIMEOUT", "the time for the task is up")),
    );
    const signal = AbortSignal.any([this.#end.signal, stop.signal]);
    const work = this.#perform(task, signal).finally(() => {
      timer.cancel();
      if (this.#task?.taskId === task.taskId) this.#task = undefined;
    });
    this.#inBackground(work, task);
  }

  /** The server answered an update. */
  answered(taskId: string, receipt: "received" | "committed" | "refused", cause: string): void {
    if (this.#measured?.body.taskId === taskId) this.#measured = undefined;
    const held = this.#held;
    if (held?.body.taskId !== taskId) return;
    this.#modules.board.answered(toHex(held.body.manifest.root), receipt, cause);
    if (receipt !== "received") this.#held = undefined;
    if (receipt === "committed" && held.onCommitted !== undefined)
      this.#inBackground(held.onCommitted(), undefined);
    // Answered as it was before, the server asks for no chunk of it.
    held.sending.abort(new JobError("ERR_TASK_UNKNOWN", cause));
  }

  /** The job has ended, or the site stops: frees everything. Idempotent. */
  async end(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#end.abort(new JobError("ERR_JOB_ABORTED", "the job has ended"));
    this.#held = undefined;
    this.#measured = undefined;
    this.#privacy.end();
    this.#plugins.ended();
    try {
      await this.#trainer?.close();
      await this.#local?.end();
    } finally {
      this.#place.release(); // not before the device is free
    }
  }

  async #prepare(reference: BlobReference): Promise<void> {
    const { inbox, crypto, board, createTrainer, logger } = this.#modules;
    const { jobId } = this.#proposal;
    const { definition, graph, parameters } = this.#payload;
    const { bytes: model } = await inbox.open(jobId, reference, this.#end.signal);
    // The server chose the bytes, the submitter signed their digest.
    if (!equalBytes(await crypto.sha256(model), graph.digest)) {
      throw new JobError("ERR_JOB_INVALID", "the graph is not the one that the submitter signed");
    }
    this.#trainer = createTrainer(this.#place.granted);
    const { dataName, training, metrics } = definition;
    const corrects = definition.workflow.name === "scaffold";
    const job = {
      ...{ jobId, dataName, training, model, parameters },
      ...(corrects ? { corrects } : {}),
      ...(metrics === undefined ? {} : { metrics }),
    };
    const { rejected = [], ...prepared } = await this.#trainer.prepare(job, { signal: this.#end.signal });
    const { device } = prepared;
    logger.info("a trainer is ready", { jobId, device });
    for (const other of rejected) logger.info("a device was not taken", { jobId, ...other });
    this.#prepared = prepared;
    const { parameters: store, clock } = this.#modules;
    this.#local = localAlgorithm(this.#payload, { jobId, trainer: this.#trainer, store, clock });
    board.updateJob(jobId, () => ({ ...this.#prepared }));
    board.update({ activity: "waiting" });
    await this.#send(jobReady, { jobId, ...this.#prepared });
  }

  async #perform(task: Task, signal: AbortSignal): Promise<void> {
    const { inbox, board, clock } = this.#modules;
    const { jobId } = this.#proposal;
    board.updateJob(jobId, () => ({ round: task.round }));
    const reporter = new ProgressReporter(
      (phase, progress) => this.#send(taskProgress, { jobId, taskId: task.taskId, phase, progress }),
      board,
      clock,
    );
    reporter.begin("evaluating");
    const { bytes } = await inbox.open(jobId, task.model, signal);
    if (this.#task?.taskId === task.taskId) this.#task.hasModel = true;
    await this.#plugins.beforeTask(task, this.#modelLayout, signal);
    const names = layoutOfChange(this.#payload).tensors.map(({ name }) => name);
    const received = tensorsIn(bytes, this.#modelLayout);
    const parameters = await this.#privacy.receive(received, names, task);
    const answer = await this.#requireLocal().evaluate(parameters, reporter.options(signal));
    const measured = toldEvaluation(answer);
    if (answer !== undefined) {
      const point = { round: task.version, evaluation: shownEvaluation(answer) };
      board.updateJob(jobId, ({ evaluations }) => ({ evaluations: atRound(evaluations, point) }));
    }
    if (task.kind === "evaluate") {
      const told = (await this.#privacy.tellsMetrics(task)) ? measured : {};
      await this.#plugins.beforeResult(task, { tellsMetrics: told.evaluation !== undefined });
      signal.throwIfAborted();
      const messageId = this.#modules.crypto.randomBytes(16);
      this.#measured = { body: { jobId, taskId: task.taskId, ...told }, messageId, session: undefined };
      await this.#sendMeasured();
      board.update({ activity: "waiting", progress: 0 });
      return;
    }
    reporter.begin("training");
    const control = await this.#control(task, signal);
    const outcome = await this.#train(task, { parameters, ...control }, reporter.options(signal));
    reporter.begin("uploading");
    const held = await holdUpdate({ task, outcome, measured }, this.#updating());
    signal.throwIfAborted();
    this.#held = held;
    await this.#upload(held);
  }

  async #train(
    task: Task,
    models: Pick<LocalTask, "parameters" | "control">,
    options: TrainOptions,
  ): Promise<LocalOutcome> {
    const { crypto, siteName: site, board, logger } = this.#modules;
    const { jobId, definition } = this.#proposal;
    const { round } = task;
    const seed = await taskSeed({ seed: definition.seed, site, round }, crypto);
    const outcome = await this.#requireLocal().train({ ...models, seed, round }, options);
    const { skippedUpdates = 0 } = outcome;
    if (skippedUpdates > 0) {
      logger.warn("updates that were no finite numbers were left out", { jobId, round, skippedUpdates });
    }
    board.updateJob(jobId, ({ losses }) => ({ losses: atRound(losses, { round, loss: outcome.loss }) }));
    return outcome;
  }

  /** Sends what was measured, once in a session. */
  async #sendMeasured(): Promise<void> {
    const [measured, session] = [this.#measured, this.#modules.session()];
    if (measured === undefined || session === undefined || measured.session === session) return;
    measured.session = session;
    await this.#send(evaluationResult, measured.body, { messageId: measured.messageId });
  }

  /**
   * Announces and streams the update, once in a session; a lost session is no fault: the update is kept and sent again
   * by the same message, of which the server takes the chunks that it lacks.
   */
  async #upload(held: Held): Promise<void> {
    const { body, source, messageId } = held;
    const session = this.#modules.session();
    if (session === undefined || held.session === session) return;
    held.session = session;
    held.sending = new AbortController();
    const signal = AbortSignal.any([this.#end.signal, held.sending.signal]);
    try {
      const streaming = session.sendStream(body.manifest, source, signal);
      streaming.catch(() => undefined); // awaited below, unless announcing it failed first
      await session.send(contribution, body, { scope: body.jobId, messageId });
      await streaming;
    } catch (error) {
      if (!signal.aborted && !session.signal.aborted) throw error;
    }
    this.#modules.board.update({ activity: "waiting", progress: 0 });
  }

  #updating(): UpdatingJob {
    const { jobId, definition } = this.#proposal;
    const own = { privacy: this.#privacy, plugins: this.#plugins, layout: this.#updateLayout };
    return { jobId, chunkBytes: definition.chunkBytes, ...this.#modules, ...own };
  }

  /** The control variate that came with a task, if any. */
  async #control({ control }: Task, signal: AbortSignal): Promise<Pick<LocalTask, "control">> {
    if (control === undefined || this.#payload.definition.workflow.name !== "scaffold") return {};
    const { bytes } = await this.#modules.inbox.open(this.#proposal.jobId, control, signal);
    return { control: tensorsIn(bytes, layoutOfControl(this.#payload.parameters)) };
  }

  #requireLocal(): LocalAlgorithm {
    if (this.#local === undefined) throw new TrainingError("ERR_TRAINER_LOST", "there is no trainer");
    return this.#local;
  }

  #inBackground(work: Promise<void>, task: Pick<Task, "taskId"> | undefined): void {
    work.catch((error: unknown) => this.#failed(error, task)).catch(() => undefined); // nobody is left to tell
  }

  async #failed(error: unknown, task: Pick<Task, "taskId"> | undefined): Promise<void> {
    const { logger, board, session } = this.#modules;
    const { jobId } = this.#proposal;
    if (this.#end.signal.aborted || session() === undefined) return;
    const code = error instanceof PhotinusError ? error.code : "ERR_TASK_FAILED";
    logger.error("a task failed", error, { jobId, code });
    board.update({ activity: "waiting", progress: 0 });
    if (code === "ERR_TASK_UNKNOWN") return; // the server ended this task itself
    const detail = error instanceof PhotinusError ? error.message.slice(0, 500) : "";
    const id = task === undefined ? {} : { taskId: task.taskId };
    await this.#send(taskFailed, { jobId, ...id, code, detail });
  }

  /** Sends on the session that there is; without one the server is told after the next connect. */
  async #send<T>(definition: MessageDefinition<T>, body: T, given: SendOptions = {}): Promise<void> {
    const options: SendOptions = { ...given, scope: this.#proposal.jobId };
    try {
      await this.#modules.session()?.send(definition, body, options);
    } catch (error) {
      if (!(error instanceof PhotinusError)) throw error;
    }
  }
}
