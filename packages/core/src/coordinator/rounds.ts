import type { Aggregator } from "../aggregation/index.ts";
import { toHex } from "../bytes/index.ts";
import { JobError } from "../errors/index.ts";
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
import { applyUpdate } from "./apply-update.ts";
import { averageEvaluation, meanTrainingLoss } from "./averages.ts";
import { Collection } from "./collection.ts";
import { CommitOrder } from "./commit-order.ts";
import { Intake, ignoreLostSession } from "./intake.ts";
import type { JobContext } from "./job-context.ts";
import type { LiveSite } from "./live-site.ts";
import { type PublishedBlob, publish } from "./publisher.ts";
import type { Receipts } from "./receipts.ts";
import { auditDispatch, auditOutcomes, auditRound, showOutcome } from "./round-report.ts";
import { sendTask } from "./task-sender.ts";

/** The rule of FedAvg; jobs cannot choose another one in this version. */
const AGGREGATOR = "weighted-mean";

/** Tasks of which a late answer is told apart from a foreign one. */
const REMEMBERED_TASKS = 16;

/** The task that is out. */
interface OpenRound {
  readonly dispatch: Dispatch;
  readonly collection: Collection;
  readonly order: CommitOrder;
  readonly intake: Intake;
  readonly model: PublishedBlob;
}

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
  #published: { readonly version: number; readonly model: PublishedBlob } | undefined;
  #aggregator: Aggregator | undefined;
  #hasBegun = false;
  readonly #recentTasks: string[] = [];
  #garbage: (() => Promise<void>)[] = [];

  constructor(context: JobContext, receipts: Receipts, events: RoundsEvents) {
    this.#context = context;
    this.#receipts = receipts;
    this.#events = events;
  }

  async broadcast(order: TaskOrder): Promise<Dispatch> {
    const { sites, payload, modules, signal } = this.#context;
    const { minimumSites, waitForSitesMs: waitMs } = payload.definition.workflow;
    const { clock } = modules;
    const isEnough = await sites.waitUntil(() => sites.allReady().length >= minimumSites, {
      waitMs,
      clock,
      signal,
    });
    // The last evaluation is worth what the sites that are there can say; training needs the minimum.
    if (!isEnough && order.kind === "train") {
      const found = `${sites.allReady().length} of ${minimumSites} sites were ready for ${waitMs} ms`;
      throw new JobError("ERR_JOB_TOO_FEW_SITES", found);
    }
    await this.#waitForPreparing();
    const names = sites.allReady().map(({ name }) => name);
    return await this.send(order, names);
  }

  async send(order: TaskOrder, sites: readonly string[]): Promise<Dispatch> {
    const { clock, crypto } = this.#context.modules;
    await this.#sweep();
    const dispatch: Dispatch = {
      taskId: toHex(crypto.randomBytes(16)),
      order,
      sites: [...sites].sort(),
      startedAtMs: Math.trunc(clock.now()),
    };
    await auditDispatch(this.#context, dispatch);
    await this.#events.onStarted();
    await this.#begin(dispatch);
    for (const site of dispatch.sites) {
      if (this.#context.sites.findReady(site) === undefined) this.#open?.collection.lost(site);
    }
    return dispatch;
  }

  async aggregate(dispatch: Dispatch): Promise<Collected> {
    if (this.#open?.dispatch.taskId !== dispatch.taskId) await this.#begin(dispatch); // after a restart
    const open = this.#open;
    if (open === undefined) throw new RangeError("no task is out");
    const outcomes = await open.collection.answered;
    await open.order.flushed();
    const evaluation = averageEvaluation(outcomes);
    if (evaluation !== undefined) await this.#evaluated(dispatch.order, evaluation);
    const update = dispatch.order.kind === "train" ? await this.#storeMean(outcomes) : undefined;
    await auditOutcomes(this.#context, outcomes);
    this.#garbage.push(() => open.order.clear());
    this.#close(dispatch.taskId);
    const endedAtMs = Math.trunc(this.#context.modules.clock.now());
    return {
      outcomes,
      endedAtMs,
      ...(update === undefined ? {} : { update }),
      ...(evaluation === undefined ? {} : { evaluation }),
    };
  }

  async checkpoint({ taskId, order }: Dispatch, { update, outcomes }: Collected): Promise<ModelVersion> {
    if (update === undefined) throw new JobError("ERR_JOB_FAILED", `round ${order.round} has no update`);
    const model = await this.#nextVersion(order, update.blob);
    this.#receipts.commit(taskId, model.version, outcomes);
    const endedAtMs = Math.trunc(this.#context.modules.clock.now());
    const trainingLoss = meanTrainingLoss(outcomes);
    this.#context.board.updateRound(order.round, { endedAtMs, trainingLoss });
    await Promise.all([auditRound(this.#context, order.round, outcomes), this.#events.onVersion(model)]);
    this.dropLater(update.blob);
    await this.#tellCommitted(taskId, outcomes);
    return model;
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

  /** A site got ready: it joins the task that is out when it was asked before a restart, else the next one. */
  siteReady(site: LiveSite): void {
    const open = this.#open;
    if (open?.collection.standing(site.name) === "open") this.#push(open, site);
  }

  /** A site's session ended. */
  siteLost(name: string): void {
    this.#open?.collection.lost(name);
  }

  /** A site cannot do its task. */
  taskFailed(name: string, taskId: string, cause: "ERR_TASK_FAILED"): boolean {
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
    if (this.#open?.dispatch.taskId === held.taskId) return; // it is asked again by the task
    await this.#receipts.answerHeld(site, held);
  }

  /** True when the task was out in this process not long ago. */
  wasOut(taskId: string): boolean {
    return this.#recentTasks.includes(taskId);
  }

  /** A blob that no later call needs once the present one is recorded: deleted with the next. */
  dropLater(blob: string): void {
    this.#garbage.push(() => this.#context.modules.checkpoints.delete(blob));
  }

  /** The model that is out, when `root` (hex) is its blob. */
  publishedBy(root: string): PublishedBlob | undefined {
    const model = this.#published?.model;
    return model !== undefined && toHex(model.reference.root) === root ? model : undefined;
  }

  /** Ends what is out. */
  stop(reason: unknown): void {
    this.#open?.collection.stop(reason);
  }

  /** Frees what the rounds used, once the last upload has gone. */
  async close(): Promise<void> {
    await this.#open?.intake.idle();
    this.#aggregator?.release();
    this.#published = undefined;
  }

  /** The newest model of `version`, published; for whoever asks for the result. */
  async publishVersion(model: ModelVersion): Promise<PublishedBlob> {
    if (this.#published?.version === model.version) return this.#published.model;
    this.#published = undefined;
    const { slots, checkpoints } = this.#context.modules;
    const { jobId, modelLayout, signal } = this.#context;
    const slot = await slots.acquire(jobId, modelLayout.byteLength, signal);
    try {
      await checkpoints.get(model.checkpoint, slot.bytes);
      return await this.#publish(model.version, slot.bytes);
    } finally {
      slot.release();
    }
  }

  async #begin(dispatch: Dispatch): Promise<void> {
    const { modules, board, jobId, payload, signal, sites } = this.#context;
    signal.throwIfAborted();
    const model = await this.publishVersion(dispatch.order.model);
    const order = await CommitOrder.open(modules.metadata, jobId, dispatch.taskId);
    const isTraining = dispatch.order.kind === "train";
    if (isTraining) board.beginRound(dispatch.order.round, dispatch.startedAtMs);
    const collection = new Collection(dispatch, payload.definition.workflow.roundTimeoutMs, {
      clock: modules.clock,
      onSettled: (outcome) => {
        order.settle(outcome.site);
        showOutcome(this.#context.board, dispatch.order, outcome);
      },
    });
    const aggregator = isTraining ? this.#emptyAggregator() : undefined;
    const intake = new Intake(this.#context, { collection, order, aggregator }, this.#events.onFault);
    this.#open = { dispatch, collection, order, intake, model };
    for (const site of sites.allReady()) {
      if (collection.standing(site.name) === "open") this.#push(this.#open, site);
    }
  }

  #close(taskId: string): void {
    this.#open = undefined;
    this.#recentTasks.push(taskId);
    if (this.#recentTasks.length > REMEMBERED_TASKS) this.#recentTasks.shift();
  }

  /** Deletes what the calls before this one left behind; they are recorded by now. */
  async #sweep(): Promise<void> {
    const garbage = this.#garbage;
    this.#garbage = [];
    for (const drop of garbage) await drop();
  }

  /** Before its first task a job waits a moment for sites that were offered it and are about to be ready. */
  async #waitForPreparing(): Promise<void> {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const { sites, modules, signal } = this.#context;
    const { clock, startGraceMs: waitMs } = modules;
    await sites.waitUntil(() => !sites.hasUndecided(), { waitMs, clock, signal });
  }

  #push({ dispatch, collection, model }: OpenRound, site: LiveSite): void {
    const onSent = (): void => collection.sent(site.name);
    ignoreLostSession(sendTask(this.#context, site, { dispatch, model, onSent })).catch(this.#events.onFault);
  }

  #emptyAggregator(): Aggregator {
    const { updateLayout, modules } = this.#context;
    const create = modules.aggregators.get(AGGREGATOR);
    if (create === undefined) throw new JobError("ERR_JOB_FAILED", `there is no aggregator ${AGGREGATOR}`);
    this.#aggregator ??= create(updateLayout, modules);
    this.#aggregator.reset();
    return this.#aggregator;
  }

  async #storeMean(outcomes: readonly TaskOutcome[]): Promise<Collected["update"]> {
    const accepted = outcomes.filter(({ outcome }) => outcome === "accepted").length;
    const { payload, modules, jobId, updateLayout, signal } = this.#context;
    if (this.#aggregator === undefined || accepted < payload.definition.workflow.minimumSites)
      return undefined;
    const slot = await modules.slots.acquire(jobId, updateLayout.byteLength, signal);
    try {
      const { update, weight } = await this.#aggregator.finish(slot.bytes);
      this.#aggregator.reset(); // gives its memory back before the next version is made
      return { blob: await modules.checkpoints.put(update), exampleCount: weight };
    } finally {
      slot.release();
    }
  }

  /** w ← w + Δ in a staging slot: the uploads are done, so that no more than K + 2 models are in memory. */
  async #nextVersion(order: TaskOrder, update: string): Promise<ModelVersion> {
    const { modules, jobId, modelLayout, updateLayout, signal } = this.#context;
    const { slots, checkpoints } = modules;
    const slot = await slots.acquire(jobId, modelLayout.byteLength, signal);
    try {
      await checkpoints.get(order.model.checkpoint, slot.bytes);
      const model = { bytes: slot.bytes, layout: modelLayout };
      await applyUpdate(model, { segments: checkpoints.segments(update), layout: updateLayout });
      this.#published = undefined; // lets the old ciphertext go before the next one is made
      const [checkpoint] = await Promise.all([
        checkpoints.put(slot.bytes),
        this.#publish(order.round, slot.bytes),
      ]);
      return { version: order.round, checkpoint };
    } finally {
      slot.release();
    }
  }

  async #publish(version: number, bytes: PublishedBytes): Promise<PublishedBlob> {
    const { modules, jobId, payload, modelLayout } = this.#context;
    const { chunkBytes } = payload.definition;
    const tensors = modelLayout.tensors;
    const model = await publish(
      { jobId, kind: "model", version, bytes, chunkBytes, tensors },
      modules,
      modules,
    );
    this.#published = { version, model };
    return model;
  }

  async #evaluated({ kind, model, round }: TaskOrder, evaluation: Evaluation): Promise<void> {
    const { board } = this.#context;
    board.evaluated(model.version, evaluation);
    await this.#events.onEvaluated(model, evaluation);
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

type PublishedBytes = Parameters<typeof publish>[0]["bytes"];
