import { toHex } from "../bytes/index.ts";
import { type ErrorCode, JobError, PluginError } from "../errors/index.ts";
import type { Evaluation } from "../job/index.ts";
import type { HeldUpdate, TaskProgress } from "../message/index.ts";
import { sleep } from "../platform/index.ts";
import type {
  Collected,
  Dispatch,
  ModelVersion,
  TaskOrder,
  TaskOutcome,
  WorkflowEffects,
} from "../workflow/index.ts";
import { ignoreLostSession } from "./answer-site.ts";
import { averageEvaluation, meanTrainingLoss } from "./averages.ts";
import { Collection } from "./collection.ts";
import { CommitOrder } from "./commit-order.ts";
import { Intake } from "./intake.ts";
import { isEnough } from "./is-enough.ts";
import type { JobContext } from "./job-context.ts";
import { Leftovers } from "./leftovers.ts";
import type { LiveSite } from "./live-site.ts";
import { PendingRecords } from "./pending-records.ts";
import type { PublishedBlob } from "./publisher.ts";
import type { Receipts } from "./receipts.ts";
import { auditDispatch, auditOutcome, auditRound, showOutcome } from "./round-report.ts";
import { taskFacts } from "./task-facts.ts";
import { sendTask } from "./task-sender.ts";
import { Versions } from "./versions.ts";

/** Tasks of which a late answer is told apart from a foreign one. */
const REMEMBERED_TASKS = 16;

/** The task that is out. */
interface OpenRound {
  readonly dispatch: Dispatch;
  readonly collection: Collection;
  readonly order: CommitOrder;
  readonly intake: Intake;
  readonly model: PublishedBlob;
  readonly control: PublishedBlob | undefined;
  /** Ends what is still being sent when the task is over. */
  readonly sending: AbortController;
}

/** Hands an answer that came early to the intake of its task. */
type Take = (intake: Intake) => Promise<void> | void;

/** What {@link Rounds} tells the job. */
export interface RoundsEvents {
  /** The first task is out: the job runs. */
  readonly onStarted: () => Promise<void>;
  /** A version was made. */
  readonly onVersion: (model: ModelVersion) => Promise<void>;
  /** The sites measured a version. */
  readonly onEvaluated: (model: ModelVersion, evaluation: Evaluation) => Promise<void>;
  /** Something that has to be kept could not be: the job cannot go on. */
  readonly onFault: (error: unknown) => void;
}

/** What the calls of a workflow do in a coordinator: tasks out, updates in, versions made, one at a time. */
export class Rounds implements WorkflowEffects {
  readonly #context: JobContext;
  readonly #receipts: Receipts;
  readonly #events: RoundsEvents;
  #open: OpenRound | undefined;
  readonly #versions: Versions;
  readonly #records = new PendingRecords();
  /** The COMMITTED receipts of the last round. */
  #told: Promise<void> = Promise.resolve();
  /** The task whose #begin was called last, and how that ends. */
  #begun: { readonly taskId: string; readonly done: Promise<void> } | undefined;
  #hasBegun = false;
  readonly #recentTasks: string[] = [];
  readonly #leftovers: Leftovers;
  /** Answers to a task that is taken up again and is not out yet, by site. */
  readonly #early = new Map<string, { readonly taskId: string; readonly take: Take }>();

  constructor(context: JobContext, receipts: Receipts, events: RoundsEvents) {
    this.#context = context;
    this.#receipts = receipts;
    this.#events = events;
    this.#versions = new Versions(context);
    this.#leftovers = new Leftovers(context.modules.logger);
  }

  async broadcast(order: TaskOrder): Promise<Dispatch> {
    // The last evaluation is worth what the sites that are there can say; training needs the minimum.
    return await this.send(order, await this.#sitesFor(order.kind));
  }

  async readySites(): Promise<readonly string[]> {
    return await this.#sitesFor("train");
  }

  /** Names of the sites that are ready, after waiting for the job's minimum. @throws JobError when training lacks it */
  async #sitesFor(kind: TaskOrder["kind"]): Promise<readonly string[]> {
    const { sites, payload, modules, signal } = this.#context;
    const { minimumSites, waitForSitesMs: waitMs } = payload.definition.workflow;
    const { clock } = modules;
    const needed = { minimumSites, mandatorySites: payload.definition.deployment?.mandatorySites ?? [] };
    const isEnough = await sites.waitUntil(() => sites.lackOf(needed) === "", { waitMs, clock, signal });
    if (!isEnough && kind === "train") {
      throw new JobError("ERR_JOB_TOO_FEW_SITES", `${sites.lackOf(needed)} for ${waitMs} ms`);
    }
    await this.#waitForPreparing();
    return sites.allReady().map(({ name }) => name);
  }

  discard({ checkpoint, state }: ModelVersion): Promise<void> {
    this.dropLater(checkpoint);
    if (state !== undefined) this.dropLater(state);
    return Promise.resolve();
  }

  async send(order: TaskOrder, sites: readonly string[]): Promise<Dispatch> {
    const { clock, crypto } = this.#context.modules;
    await this.#records.kept();
    const dispatch: Dispatch = {
      taskId: toHex(crypto.randomBytes(16)),
      order,
      sites: [...sites].sort(),
      startedAtMs: Math.trunc(clock.now()),
    };
    // Kept in one commit with the journal's entry; the task goes out when both are.
    this.#records.keep(auditDispatch(this.#context, dispatch));
    this.#leftovers.sweep();
    await this.#events.onStarted();
    return dispatch;
  }

  dispatched(dispatch: Dispatch): void {
    const done = this.#begin(dispatch, { isResumed: false });
    done.catch(() => undefined); // aggregate() tells
    this.#begun = { taskId: dispatch.taskId, done };
  }

  async aggregate(dispatch: Dispatch): Promise<Collected> {
    if (this.#begun?.taskId === dispatch.taskId) await this.#begun.done;
    else await this.#begin(dispatch, { isResumed: true });
    const open = this.#open;
    if (open === undefined) throw new RangeError("no task is out");
    const outcomes = await open.collection.answered;
    this.#records.keep(open.order.flushed());
    const { metrics = [] } = this.#context.payload.definition;
    const evaluation = averageEvaluation(outcomes, { metrics, sums: open.collection.sums });
    if (evaluation !== undefined) await this.#evaluated(dispatch.order, { evaluation, outcomes });
    const model = isEnough(dispatch.order, outcomes, this.#context.payload.definition)
      ? await this.#versions.make(dispatch.order)
      : undefined;
    this.#leftovers.add(() => open.order.clear());
    this.#close(dispatch.taskId);
    return {
      ...{ outcomes, endedAtMs: this.now() },
      ...(model === undefined ? {} : { model }),
      ...(evaluation === undefined ? {} : { evaluation }),
    };
  }

  async checkpoint({ taskId, order }: Dispatch, { model, outcomes }: Collected): Promise<ModelVersion> {
    if (model === undefined) throw new JobError("ERR_JOB_FAILED", `round ${order.round} has no model`);
    await this.#records.kept();
    await this.#versions.publish(model);
    this.#receipts.commit(taskId, model.version, outcomes);
    if (order.model.state !== undefined) this.dropLater(order.model.state);
    const endedAtMs = Math.trunc(this.#context.modules.clock.now());
    const trainingLoss = meanTrainingLoss(outcomes);
    const known = trainingLoss === 0 ? {} : { trainingLoss };
    this.#context.board.updateRound(order.round, { endedAtMs, ...known });
    // The model is on disk and in the journal: from here on the round counts, whatever happens.
    this.#records.keep(auditRound(this.#context, order.round, outcomes));
    const accepted = outcomes.filter(({ outcome }) => outcome === "accepted").length;
    const { facts: job, modules } = this.#context;
    modules.plugins.emit("roundEnded", { job, round: order.round, accepted });
    this.#records.keep(this.#events.onVersion(model));
    this.#told = this.#records.kept().then(() => this.#tellCommitted(taskId, outcomes));
    this.#told.catch(() => undefined); // who waits for the records hears of it
    return model;
  }

  /** Resolves when everything that the calls so far had to keep is kept, and the sites were told. @throws StorageError */
  async kept(): Promise<void> {
    await this.#records.kept();
    await this.#told;
  }

  now(): number {
    return Math.trunc(this.#context.modules.clock.now());
  }

  sleepUntil(atMs: number): Promise<void> {
    const { clock } = this.#context.modules;
    return sleep(clock, Math.max(0, atMs - clock.now()), this.#context.signal);
  }

  random(length: number): string {
    return toHex(this.#context.modules.crypto.randomBytes(length));
  }

  log(line: string): void {
    this.#context.modules.logger.info(line, { jobId: this.#context.jobId });
  }

  /** The intake of a task that is out; `undefined` when that task is over. */
  intakeOf(taskId: string): Intake | undefined {
    return this.#open?.dispatch.taskId === taskId ? this.#open.intake : undefined;
  }

  /** Takes an answer to a task of an earlier process as soon as that task is out again. */
  takeLater(site: LiveSite, taskId: string, take: Take): void {
    this.#early.set(site.name, { taskId, take });
  }

  /** A site got ready: it goes on with the task that is out when it was asked before, else it joins the next one. */
  siteReady(site: LiveSite): void {
    if (this.#open !== undefined) this.#give(this.#open, site);
  }

  /** A site's session ended. @param isLeaving it said so, and is not waited for */
  siteLost(name: string, isLeaving: boolean): void {
    if (isLeaving) this.#open?.collection.left(name);
    else this.#open?.collection.lost(name);
  }

  /** A site cannot do its task. */
  taskFailed(name: string, taskId: string, cause: ErrorCode): boolean {
    if (this.#open?.dispatch.taskId !== taskId) return false;
    return this.#open.collection.refuse(name, cause);
  }

  /** A site tells how far it is. */
  progress(name: string, { taskId, phase, progress }: TaskProgress): void {
    if (this.#open?.dispatch.taskId !== taskId) return;
    if (this.#open.collection.standing(name) !== "open") return;
    this.#open.collection.heard(name);
    this.#context.board.updateSite(name, { phase, progress });
  }

  /** A site kept an update. */
  async held(site: LiveSite, held: HeldUpdate): Promise<void> {
    // It is asked again by the task, or sends its update again by itself and is answered then.
    if (site.hasAsked || this.#open?.dispatch.taskId === held.taskId) return;
    await this.#receipts.answerHeld(site, held);
  }

  /** True when the task was out in this process not long ago. */
  wasOut(taskId: string): boolean {
    return this.#recentTasks.includes(taskId);
  }

  /** A blob that no later call needs once the present one is recorded: deleted with the next. */
  dropLater(blob: string): void {
    this.#leftovers.add(() => this.#context.modules.checkpoints.delete(blob));
  }

  /** The model that is out, when `root` (hex) is its blob. */
  publishedBy(root: string): PublishedBlob | undefined {
    return this.#versions.publishedBy(root);
  }

  /** Ends what is out. */
  stop(reason: unknown): void {
    this.#open?.collection.stop(reason);
  }

  /** Settles when nothing is being kept any more: what the job is ended with builds upon it. Never rejects. */
  async quiet(): Promise<void> {
    await this.#records.kept().catch(() => undefined); // the job ends by it
  }

  /** Frees what the rounds used, once the last upload has gone. @param isOver no later process goes on */
  async close(isOver: boolean): Promise<void> {
    await this.#open?.intake.idle();
    if (isOver) this.#leftovers.sweep();
    this.#versions.close();
  }

  /** @param isResumed sites that are not there yet may come back and be asked again */
  async #begin(dispatch: Dispatch, { isResumed }: { readonly isResumed: boolean }): Promise<void> {
    const { modules, board, jobId, payload, signal, sites } = this.#context;
    await this.kept();
    signal.throwIfAborted();
    const model = await this.#versions.publish(dispatch.order.model);
    const control = await this.#versions.publishControl(dispatch.order.model);
    const order = await CommitOrder.open(modules.metadata, jobId, dispatch.taskId);
    const isTraining = dispatch.order.kind === "train";
    if (isTraining) {
      board.beginRound(dispatch.order.round, dispatch.startedAtMs);
      const { round } = dispatch.order;
      modules.plugins.emit("roundStarted", { job: this.#context.facts, round, sites: dispatch.sites });
    }
    const collection = new Collection(dispatch, payload.definition.workflow.roundTimeoutMs, {
      metrics: payload.definition.metrics ?? [],
      clock: modules.clock,
      graceMs: modules.reconnectGraceMs,
      onSettled: (outcome) => {
        order.settle(outcome.site);
        this.#records.keep(auditOutcome(this.#context, outcome));
        showOutcome(board, dispatch.order, outcome);
        const { site, outcome: how, cause } = outcome;
        const answered = { ...taskFacts(this.#context, dispatch, site), outcome: how, cause };
        modules.plugins.emit("taskAnswered", answered);
      },
    });
    const aggregator = isTraining ? this.#versions.emptyAggregator(dispatch.sites.length) : undefined;
    const intake = new Intake(
      this.#context,
      {
        ...{ collection, order, aggregator },
        kept: () => this.#records.kept(),
        keep: (record) => this.#records.keep(record),
      },
      this.#events.onFault,
    );
    this.#open = { dispatch, collection, order, intake, model, control, sending: new AbortController() };
    for (const name of dispatch.sites) {
      const site = sites.findReady(name);
      if (site !== undefined) this.#give(this.#open, site);
      else if (!isResumed) collection.lost(name);
    }
    const early = [...this.#early.values()];
    this.#early.clear();
    for (const { taskId, take } of early) if (taskId === dispatch.taskId) await take(intake);
  }

  #close(taskId: string): void {
    // Who has not got the model by now does not need it: the next task names another one.
    this.#open?.sending.abort(new JobError("ERR_TASK_UNKNOWN", "the round has ended"));
    this.#open = undefined;
    this.#receipts.close(taskId);
    const { uploads, logger } = this.#context.modules;
    uploads
      .dropTask(taskId)
      .catch((error: unknown) => logger.error("a half-done upload stays on disk", error));
    this.#recentTasks.push(taskId);
    if (this.#recentTasks.length > REMEMBERED_TASKS) this.#recentTasks.shift();
  }

  /** Before its first task a job waits a moment for sites that were offered it and are about to be ready. */
  async #waitForPreparing(): Promise<void> {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const { sites, modules, signal } = this.#context;
    const { clock, startGraceMs: waitMs } = modules;
    await sites.waitUntil(() => !sites.hasUndecided(), { waitMs, clock, signal });
  }

  /** Gives the task that is out to a site, unless it has it or has answered. */
  #give(open: OpenRound, site: LiveSite): void {
    const { collection, dispatch } = open;
    collection.returned(site.name);
    if (collection.standing(site.name) !== "open" || site.sentTasks.has(dispatch.taskId)) return;
    site.sentTasks.add(dispatch.taskId);
    if (!site.acknowledged.has(dispatch.taskId)) {
      this.#push(open, site);
      return;
    }
    collection.sent(site.name);
    collection.heard(site.name);
  }

  #push({ dispatch, collection, model, control, sending }: OpenRound, site: LiveSite): void {
    const onSent = (): void => collection.sent(site.name);
    const signal = AbortSignal.any([this.#context.signal, sending.signal]);
    const sent = sendTask(this.#context, site, { dispatch, model, control, onSent, signal }).catch(
      (error: unknown) => {
        if (!(error instanceof PluginError)) throw error;
        if (collection.refuse(site.name, error.code))
          this.#context.board.updateSite(site.name, { detail: error.message });
      },
    );
    ignoreLostSession(sent).catch(this.#events.onFault);
  }

  async #evaluated(
    { kind, model, round, subject }: TaskOrder,
    { evaluation, outcomes }: { evaluation: Evaluation; outcomes: readonly TaskOutcome[] },
  ): Promise<void> {
    const { board } = this.#context;
    if (subject !== undefined) board.measured(subject, outcomes);
    if (subject === undefined || subject === "") {
      board.evaluated(model.version, evaluation);
      await this.#events.onEvaluated(model, evaluation);
    }
    if (kind === "evaluate") await board.persist([round]); // no checkpoint follows that would keep it
  }

  async #tellCommitted(taskId: string, outcomes: readonly TaskOutcome[]): Promise<void> {
    const { sites, board } = this.#context;
    const accepted = outcomes.filter(({ outcome }) => outcome === "accepted");
    await Promise.all(
      accepted.map(async ({ site: name }) => {
        const site = sites.find(name);
        if (site === undefined) return;
        await this.#receipts.send(site, taskId);
        board.updateSite(name, { phase: "committed", progress: 0 });
      }),
    );
  }
}
