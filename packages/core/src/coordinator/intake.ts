import type { Aggregator } from "../aggregation/index.ts";
import { type Bytes, toHex } from "../bytes/index.ts";
import { AggregationError, EnvelopeError, PhotinusError } from "../errors/index.ts";
import {
  type ContributionBody,
  type ContributionReceived,
  contributionReceived,
  contributionRefused,
  type EvaluationResult,
  type SiteEvaluation,
} from "../message/index.ts";
import { type ContributionProblem, checkAnnouncement, evaluationProblem } from "./check-contribution.ts";
import type { Collection } from "./collection.ts";
import type { CommitOrder } from "./commit-order.ts";
import type { JobContext } from "./job-context.ts";
import type { LiveSite } from "./live-site.ts";
import { receiveStream } from "./receive-stream.ts";
import type { UploadSlot } from "./upload-slots.ts";

/** What an {@link Intake} fills. */
export interface IntakeTarget {
  readonly collection: Collection;
  readonly order: CommitOrder;
  /** Absent for an evaluation. */
  readonly aggregator: Aggregator | undefined;
  /** Resolves when the audit records of what has settled are durable: only then is a site answered. */
  readonly kept: () => Promise<void>;
}

/** Lateness that is known only by the signal of the upload. */
const LATE: ContributionProblem = {
  code: "ERR_CONTRIBUTION_LATE",
  detail: "the answer came after the end of the round",
};

/**
 * Takes the answers to one task: announcement checked, staging slot, chunks verified, values checked, added; then
 * RECEIVED. Whatever is wrong is answered by exactly one cause. At most K updates are in memory, here and over all jobs.
 */
export class Intake {
  readonly #context: JobContext;
  readonly #target: IntakeTarget;
  readonly #fail: (error: unknown) => void;
  readonly #work = new Set<Promise<void>>();

  /** @param fail ends the job: storage or audit could not take what has to be kept */
  constructor(context: JobContext, target: IntakeTarget, fail: (error: unknown) => void) {
    this.#context = context;
    this.#target = target;
    this.#fail = fail;
  }

  /** A site announced its update. Returns at once; the upload goes on beside other messages. */
  contribution(site: LiveSite, body: ContributionBody): void {
    const work = this.#receive(site, body)
      .catch(this.#fail)
      .finally(() => this.#work.delete(work));
    this.#work.add(work);
  }

  /** Resolves when no update is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#work);
  }

  /** A site answered an `evaluate` task. */
  async evaluation(site: LiveSite, { taskId, evaluation }: EvaluationResult): Promise<void> {
    const { collection } = this.#target;
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
    collection.accept(site.name, { ...NOTHING, ...given(evaluation) });
    await this.#received(site, this.#ids(taskId));
  }

  async #receive(site: LiveSite, body: ContributionBody): Promise<void> {
    const { collection } = this.#target;
    const standing = this.#standingProblem(site.name);
    if (standing !== undefined) {
      await refuse(site, body, standing);
      return;
    }
    const { payload, updateLayout: layout } = this.#context;
    const expected = { definition: payload.definition, layout, order: collection.dispatch.order };
    const problem = checkAnnouncement(body, expected) ?? (await this.#upload(site, body));
    if (problem === undefined) return;
    collection.refuse(site.name, problem.code);
    await this.#target.kept();
    await refuse(site, body, problem);
  }

  /** @returns what is wrong with the update; `undefined` when it was added or its site had settled meanwhile */
  async #upload(site: LiveSite, body: ContributionBody): Promise<ContributionProblem | undefined> {
    const signal = this.#target.collection.beginUpload(site.name);
    const { jobId, modules, board } = this.#context;
    board.updateSite(site.name, { phase: "uploading", progress: 0 });
    let slot: UploadSlot | undefined;
    try {
      await this.#target.order.turnOf(site.name, signal);
      slot = await modules.slots.acquire(jobId, body.manifest.totalBytes, signal);
      await this.#stage(site, body, { slot, signal });
      return await this.#add(site, body, slot.bytes);
    } catch (error) {
      if (site.session.signal.aborted) this.#target.collection.lost(site.name);
      if (signal.aborted) return this.#afterAbort(site.name);
      return problemOf(error);
    } finally {
      slot?.release();
    }
  }

  async #stage(site: LiveSite, body: ContributionBody, { slot, signal }: Staging): Promise<void> {
    const { board, modules } = this.#context;
    const { totalBytes } = body.manifest;
    const onProgress = (receivedBytes: number): void => {
      // Twenty increments an upload, not one a chunk.
      const progress = Math.floor((SHOWN_STEPS * receivedBytes) / totalBytes) / SHOWN_STEPS;
      board.updateSite(site.name, { progress });
    };
    const target = { bytes: slot.bytes, clock: modules.clock, signal, onProgress };
    await receiveStream(site.session, body.manifest, target);
  }

  async #add(
    site: LiveSite,
    body: ContributionBody,
    update: Bytes,
  ): Promise<ContributionProblem | undefined> {
    const { collection, aggregator, order } = this.#target;
    if (aggregator === undefined) return { code: "ERR_TASK_UNKNOWN", detail: "the task asked for no update" };
    const { exampleCount, trainingLoss, evaluation, manifest, taskId } = body;
    let problem: ContributionProblem | undefined;
    const admit = (norm: number): boolean => {
      problem = normProblem(norm, body.norm);
      if (problem !== undefined) return false;
      const digest = toHex(manifest.root);
      const answer = { exampleCount, trainingLoss, norm, digest, ...given(evaluation) };
      if (!collection.accept(site.name, answer)) return false;
      order.commit(site.name);
      return true;
    };
    const isCounted = await aggregator.add({ update, weight: exampleCount, admit });
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

interface Staging {
  readonly slot: UploadSlot;
  readonly signal: AbortSignal;
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
  if (error instanceof EnvelopeError) return { code: error.code, detail: error.message };
  if (error instanceof AggregationError && error.code === "ERR_AGGREGATION_NOT_FINITE") {
    return { code: "ERR_CONTRIBUTION_NOT_FINITE", detail: error.message };
  }
  throw error;
}

/** Tells a site that its answer does not count; a session that is gone is no fault here. */
export async function refuse(
  site: LiveSite,
  { jobId, taskId }: { readonly jobId: string; readonly taskId: string },
  { code, detail }: ContributionProblem,
): Promise<void> {
  const body = { jobId, taskId, code, detail: detail.slice(0, 500) };
  await ignoreLostSession(site.session.send(contributionRefused, body, { scope: jobId }));
}

/** Settles when a message has left, or its session had ended: who is gone is told when it comes back. */
export async function ignoreLostSession(sending: Promise<unknown>): Promise<void> {
  try {
    await sending;
  } catch (error) {
    if (!(error instanceof PhotinusError)) throw error;
  }
}
