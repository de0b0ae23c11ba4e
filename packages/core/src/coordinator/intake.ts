import type { Aggregator } from "../aggregation/index.ts";
import { type Bytes, toHex } from "../bytes/index.ts";
import { AggregationError, EnvelopeError, PluginError, WireError } from "../errors/index.ts";
import { localWork } from "../job/index.ts";
import {
  type ContributionBody,
  type ContributionReceived,
  contributionReceived,
  type EvaluationResult,
  type SiteEvaluation,
} from "../message/index.ts";
import { ignoreLostSession, refuse } from "./answer-site.ts";
import { type ContributionProblem, checkAnnouncement, evaluationProblem } from "./check-contribution.ts";
import type { Collection } from "./collection.ts";
import type { CommitOrder } from "./commit-order.ts";
import type { JobContext } from "./job-context.ts";
import type { Staged, UploadId } from "./kept-uploads.ts";
import type { LiveSite } from "./live-site.ts";
import { endSuperseded, type MessageIdentity, refusalOf, requireSame } from "./message-identity.ts";
import { comeBackAfter, receiveStream } from "./receive-stream.ts";
import { taskFacts, taskResultFacts } from "./task-facts.ts";

/** What an {@link Intake} fills. */
export interface IntakeTarget {
  readonly collection: Collection;
  readonly order: CommitOrder;
  /** Absent for an evaluation. */
  readonly aggregator: Aggregator | undefined;
  /** Resolves when the audit records of what has settled are durable: only then is a site answered. */
  readonly kept: () => Promise<void>;
  /** Takes a record that is being written: {@link kept} waits for it. */
  readonly keep: (record: Promise<unknown>) => void;
}

/** What a site was told of its update. */
type Answer = "received" | ContributionProblem;

/** The message of a site that this task deals with, and its outcome once there is one. */
interface Announced extends MessageIdentity {
  answer: Answer | undefined;
}

/** An upload under way. */
interface OpenUpload {
  readonly session: LiveSite["session"];
  /** Ends it for a newer session of the site. */
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Lateness that is known only by the signal of the upload. */
const LATE: ContributionProblem = {
  code: "ERR_CONTRIBUTION_LATE",
  detail: "the answer came after the end of the round",
};

/**
 * Takes the answers to one task: announcement checked, staging slot, chunks verified, values checked, added; then
 * RECEIVED. Whatever is wrong is answered by exactly one cause. At most K updates are in memory, here and over all jobs.
 * A session that ends in between is no cause: what is there is kept, and the message sent again goes on with it, or is
 * answered as it was before.
 */
export class Intake {
  readonly #context: JobContext;
  readonly #target: IntakeTarget;
  readonly #fail: (error: unknown) => void;
  readonly #work = new Set<Promise<void>>();
  readonly #announced = new Map<string, Announced>();
  readonly #uploads = new Map<string, OpenUpload>();

  /** @param fail ends the job: storage or audit could not take what has to be kept */
  constructor(context: JobContext, target: IntakeTarget, fail: (error: unknown) => void) {
    this.#context = context;
    this.#target = target;
    this.#fail = fail;
  }

  /**
   * A site announced its update. Returns at once; the upload goes on beside other messages.
   * @throws EnvelopeError `ERR_ENVELOPE_REPLAYED` when another message came under this id
   */
  contribution(site: LiveSite, body: ContributionBody, message: MessageIdentity): void {
    const known = this.#announced.get(site.name);
    if (known?.messageId === message.messageId) requireSame(known.payloadDigest, message);
    const work = this.#receive(site, body, message)
      .catch(this.#fail)
      .finally(() => this.#work.delete(work));
    this.#work.add(work);
  }

  /** Resolves when no update is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#work);
  }

  /**
   * A site answered an `evaluate` task, perhaps again.
   * @throws EnvelopeError `ERR_ENVELOPE_REPLAYED` when another message came under this id
   */
  async evaluation(site: LiveSite, body: EvaluationResult, message: MessageIdentity): Promise<void> {
    const { taskId, evaluation } = body;
    const { collection } = this.#target;
    const known = this.#announced.get(site.name);
    if (known?.messageId === message.messageId) {
      requireSame(known.payloadDigest, message);
      if (known.answer === "received") await this.#received(site, this.#ids(taskId));
      return;
    }
    const problem = this.#standingProblem(site.name);
    if (problem !== undefined || collection.dispatch.order.kind !== "evaluate") {
      await refuse(site, this.#ids(taskId), problem ?? { code: "ERR_TASK_UNKNOWN", detail: "a train task" });
      return;
    }
    const implausible = evaluationProblem(evaluation, this.#context.payload.definition);
    if (implausible !== undefined) {
      collection.refuse(site.name, implausible.code);
      await refuse(site, this.#ids(taskId), implausible);
      return;
    }
    const refusal = await this.#evaluationRefusal(site, body);
    if (refusal !== undefined) {
      if (collection.refuse(site.name, refusal.code)) await refuse(site, this.#ids(taskId), refusal);
      return;
    }
    if (!collection.accept(site.name, { ...NOTHING, ...given(evaluation) })) return;
    this.#announced.set(site.name, { ...message, answer: "received" });
    await this.#received(site, this.#ids(taskId));
  }

  async #evaluationRefusal(site: LiveSite, body: EvaluationResult): Promise<ContributionProblem | undefined> {
    try {
      await this.#requireAllowed(site, body, AbortSignal.any([site.session.signal, this.#context.signal]));
      return undefined;
    } catch (error) {
      if (!(error instanceof PluginError)) return LATE; // the task, or the session, ended while it was asked
      return { code: error.code, detail: error.message };
    }
  }

  async #receive(site: LiveSite, body: ContributionBody, message: MessageIdentity): Promise<void> {
    const { collection } = this.#target;
    await this.#endOlder(site);
    const told = this.#toldBefore(site, message);
    if (told !== undefined) {
      await this.#tellAgain(site, body, told);
      return;
    }
    const standing = this.#standingProblem(site.name);
    if (standing !== undefined) {
      await refuse(site, body, standing);
      return;
    }
    this.#announced.set(site.name, { ...message, answer: undefined });
    const { payload, updateLayout: layout } = this.#context;
    const expected = { definition: payload.definition, layout, order: collection.dispatch.order };
    const problem = checkAnnouncement(body, expected) ?? (await this.#upload(site, body, message));
    if (problem === undefined) return;
    if (collection.refuse(site.name, problem.code)) this.#answered(site, body, problem);
    await this.#target.kept();
    await refuse(site, body, problem);
  }

  /** @returns what is wrong with the update; `undefined` when it was added or its site had settled meanwhile */
  async #upload(
    site: LiveSite,
    body: ContributionBody,
    message: MessageIdentity,
  ): Promise<ContributionProblem | undefined> {
    const { collection, order } = this.#target;
    const { modules, board, payload } = this.#context;
    const task = collection.beginUpload(site.name);
    const { stop, end } = this.#openUpload(site);
    const signal = AbortSignal.any([task, stop.signal, site.session.signal]);
    const id = uploadId(site, body, message);
    board.updateSite(site.name, { phase: "uploading", progress: 0 });
    let staged: Staged | undefined;
    let before = 0;
    try {
      await this.#requireAllowed(site, body, signal);
      await order.turnOf(site.name, signal);
      staged = await modules.uploads.begin(id, signal);
      before = staged.received.count;
      await this.#stage(site, body, { ...staged, signal });
      return await this.#add(site, body, staged.slot.bytes);
    } catch (error) {
      const comeBack = staged && comeBackAfter(error, staged.received.count - before);
      if (comeBack !== undefined) void site.session.close(comeBack.code, comeBack.detail);
      // The site's session, or this process, ended: the upload goes on in another one while the task waits.
      if ((comeBack !== undefined || signal.aborted) && collection.interrupted(site.name)) {
        if (staged !== undefined)
          modules.uploads.keep(id, staged, payload.definition.workflow.roundTimeoutMs);
        staged = undefined;
        return undefined;
      }
      return task.aborted ? this.#afterAbort(site.name) : problemOf(error);
    } finally {
      staged?.slot.release();
      end();
    }
  }

  /** @throws PluginError `ERR_PLUGIN_REFUSED` */
  async #requireAllowed(
    { name }: LiveSite,
    body: ContributionBody | EvaluationResult,
    signal: AbortSignal,
  ): Promise<void> {
    const { modules, jobId: correlation } = this.#context;
    if (!modules.plugins.asks("taskResult")) return;
    const task = taskFacts(this.#context, this.#target.collection.dispatch, name);
    await modules.plugins.require("taskResult", taskResultFacts(task, body), { signal, correlation });
  }

  #openUpload(site: LiveSite): { readonly stop: AbortController; readonly end: () => void } {
    const stop = new AbortController();
    let resolve = (): void => undefined;
    const done = new Promise<void>((settle) => {
      resolve = settle;
    });
    const upload: OpenUpload = { session: site.session, stop, done };
    this.#uploads.set(site.name, upload);
    const end = (): void => {
      if (this.#uploads.get(site.name) === upload) this.#uploads.delete(site.name);
      resolve();
    };
    return { stop, end };
  }

  /** A newer session of the site takes over what an older one, which may not know yet that it has ended, began. */
  async #endOlder(site: LiveSite): Promise<void> {
    const older = this.#uploads.get(site.name);
    if (older === undefined || older.session === site.session) return;
    older.stop.abort(new WireError("ERR_SUPERSEDED", "a newer session of this site took over"));
    await older.done;
  }

  /** The outcome of a message that was answered before, by this process or, when it was refused, by an earlier one. */
  #toldBefore(site: LiveSite, { messageId }: MessageIdentity): Answer | undefined {
    const announced = this.#announced.get(site.name);
    if (announced?.messageId === messageId) return announced.answer;
    return refusalOf(site, messageId);
  }

  async #tellAgain(site: LiveSite, body: ContributionBody, answer: Answer): Promise<void> {
    if (answer === "received") {
      await this.#received(site, { ...this.#ids(body.taskId), root: body.manifest.root });
      return;
    }
    this.#target.collection.refuse(site.name, answer.code);
    await this.#target.kept();
    await refuse(site, body, answer);
  }

  /** The site's message has its outcome; it is stored before the site is told. */
  #answered(site: LiveSite, body: ContributionBody, answer: Answer): void {
    const announced = this.#announced.get(site.name);
    if (announced === undefined) return;
    announced.answer = answer;
    const { messageId, payloadDigest } = announced;
    const { modules, payload } = this.#context;
    const problem = answer === "received" ? { code: "", detail: "" } : answer;
    const nowMs = Math.trunc(modules.clock.now());
    const entry = {
      ...{ messageId, payloadDigest, ...this.#ids(body.taskId) },
      outcome: answer === "received" ? ("accepted" as const) : ("refused" as const),
      code: problem.code,
      detail: problem.detail.slice(0, 500),
      untilMs: nowMs + payload.definition.workflow.roundTimeoutMs,
    };
    this.#target.keep(site.record.commit(entry, nowMs).catch((error) => endSuperseded(site, error)));
  }

  async #stage(site: LiveSite, body: ContributionBody, staging: Staging): Promise<void> {
    const { slot, received, signal } = staging;
    const { board, modules } = this.#context;
    const { totalBytes } = body.manifest;
    const onProgress = (receivedBytes: number): void => {
      // Twenty increments an upload, not one a chunk.
      const progress = Math.floor((SHOWN_STEPS * receivedBytes) / totalBytes) / SHOWN_STEPS;
      board.updateSite(site.name, { progress });
    };
    const target = { slot, received, clock: modules.clock, signal, onProgress };
    await receiveStream(site.session, body.manifest, target);
  }

  async #add(
    site: LiveSite,
    body: ContributionBody,
    update: Bytes,
  ): Promise<ContributionProblem | undefined> {
    const { collection, aggregator, order } = this.#target;
    if (aggregator === undefined) return { code: "ERR_TASK_UNKNOWN", detail: "the task asked for no update" };
    const { exampleCount, steps, trainingLoss = 0, evaluation, manifest, taskId } = body;
    let problem: ContributionProblem | undefined;
    const admit = (norm: number): boolean => {
      problem = normProblem(norm, body.norm);
      if (problem !== undefined) return false;
      const digest = toHex(manifest.root);
      const answer = { exampleCount, trainingLoss, norm, digest, ...given(evaluation) };
      if (!collection.accept(site.name, answer)) return false;
      order.commit(site.name);
      this.#answered(site, body, "received");
      return true;
    };
    const work = localWork(this.#context.payload.definition.training, steps);
    const isCounted = await aggregator.add({ update, weight: exampleCount, localWork: work, admit });
    if (!isCounted) return problem ?? this.#afterAbort(site.name);
    this.#context.board.addTraffic(site.name, { up: manifest.totalBytes });
    await this.#received(site, { ...this.#ids(taskId), root: manifest.root });
    return undefined;
  }

  /** The site settled while its update was under way: told once, unless its session is gone. */
  #afterAbort(site: string): ContributionProblem | undefined {
    return this.#target.collection.standing(site) === "late" ? LATE : undefined;
  }

  #standingProblem(site: string): ContributionProblem | undefined {
    switch (this.#target.collection.standing(site)) {
      case "open":
        return undefined;
      case undefined:
        return { code: "ERR_TASK_UNKNOWN", detail: "this site was not asked" };
      case "late":
      case "missing":
        return LATE;
      case "uploading":
      case "accepted":
      case "refused":
        return { code: "ERR_CONTRIBUTION_DUPLICATE", detail: "this site has answered this task" };
    }
  }

  #ids(taskId: string): { readonly jobId: string; readonly taskId: string } {
    return { jobId: this.#context.jobId, taskId };
  }

  async #received(site: LiveSite, body: ContributionReceived): Promise<void> {
    await this.#target.kept();
    await ignoreLostSession(site.session.send(contributionReceived, body, { scope: body.jobId }));
  }
}

interface Staging extends Staged {
  readonly signal: AbortSignal;
}

function uploadId(site: LiveSite, body: ContributionBody, message: MessageIdentity): UploadId {
  const { jobId, taskId, manifest } = body;
  const { messageId, payloadDigest } = message;
  const streamId = toHex(manifest.streamId);
  return { urn: site.record.urn, messageId, payloadDigest, jobId, taskId, streamId, manifest };
}

/** Steps in which the progress of an upload is shown. */
const SHOWN_STEPS = 20;

/** Sites sum in another order than the server: the norms differ in the last bits of float32. */
const NORM_TOLERANCE = 1.0001;

function normProblem(measured: number, declared: number): ContributionProblem | undefined {
  if (measured <= declared * NORM_TOLERANCE + Number.MIN_VALUE) return undefined;
  return { code: "ERR_CONTRIBUTION_NORM", detail: `measured ${measured}, declared ${declared}` };
}

const NOTHING = { exampleCount: 0, trainingLoss: 0, norm: 0, digest: "" };

const given = (evaluation: SiteEvaluation | undefined): { evaluation?: SiteEvaluation } =>
  evaluation === undefined ? {} : { evaluation };

/**
 * What a stream is refused for that does not arrive as announced, or holds what may not be added.
 * @throws the error when it is no fault of the peer
 */
function problemOf(error: unknown): ContributionProblem {
  if (error instanceof EnvelopeError || error instanceof PluginError)
    return { code: error.code, detail: error.message };
  if (error instanceof AggregationError && error.code === "ERR_AGGREGATION_NOT_FINITE") {
    return { code: "ERR_CONTRIBUTION_NOT_FINITE", detail: error.message };
  }
  if (error instanceof AggregationError && error.code === "ERR_AGGREGATION_TOO_LARGE") {
    return { code: error.code, detail: error.message };
  }
  throw error;
}
