import type { Bytes } from "../bytes/index.ts";
import { type SealJobAbortModules, sealJobAbort, sealJobDeletion } from "../job/index.ts";
import {
  applyObservation,
  commandDone,
  hasJobEnded,
  type JobView,
  jobEnded,
  type Observation,
  type Observe,
  observation,
  observe,
} from "../message/index.ts";
import type { Requests } from "../session/index.ts";
import { GRAPH, RESULT, type Wanted } from "./blob-download.ts";
import type { Link } from "./link.ts";
import type { AbortOptions, CloneOptions, FinishedRound, JobResult } from "./options.ts";

/** What {@link JobHandle} works with. */
export interface JobHandleModules extends SealJobAbortModules {
  /** The session, and the next one when it is lost. */
  readonly link: Pick<Link, "follow" | "persist">;
  /** Requests that wait for their replies. */
  readonly requests: Requests;
  /** Brings what is wanted of the job. */
  readonly download: <Result>(wanted: Wanted<Result>, signal: AbortSignal) => Promise<Result>;
  /** Clones the job. */
  readonly clone: (options: CloneOptions) => Promise<JobHandle>;
}

/** One job as its user follows it. */
export class JobHandle {
  /** 32 hexadecimal digits. */
  readonly jobId: string;
  readonly #requests: Requests;
  readonly #link: JobHandleModules["link"];
  readonly #download: JobHandleModules["download"];
  readonly #clone: JobHandleModules["clone"];
  readonly #modules: SealJobAbortModules;

  constructor(jobId: string, { requests, link, download, clone, ...modules }: JobHandleModules) {
    this.jobId = jobId;
    this.#requests = requests;
    this.#link = link;
    this.#download = download;
    this.#clone = clone;
    this.#modules = modules;
  }

  /**
   * A snapshot, then increments, until the job has ended or the signal is aborted. When the session is lost meanwhile, it goes
   * on in the next one, with what is missing or with a snapshot.
   * @throws RequestError `ERR_JOB_UNKNOWN`, `ERR_FORBIDDEN`; WireError when no session comes back
   */
  async *observe(signal?: AbortSignal): AsyncGenerator<Observation, void, undefined> {
    const stop = new AbortController();
    const ends = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    let seen: Pick<Observe, "fromSequence"> = {};
    const read = (): AsyncIterable<unknown> =>
      this.#requests.stream(observe, { jobId: this.jobId, ...seen }, ends);
    try {
      for await (const reply of this.#link.follow(read, ends)) {
        const { observation: next } = observation.parse(reply);
        seen = { fromSequence: next.sequence };
        yield next;
        if (hasEnded(next)) return;
      }
    } finally {
      stop.abort();
    }
  }

  /** The whole view of the job, after each observation. */
  async *views(signal?: AbortSignal): AsyncGenerator<JobView, void, undefined> {
    let view: JobView | undefined;
    for await (const next of this.observe(signal)) {
      if (next.kind === "snapshot") view = next.job;
      else if (view !== undefined) view = applyObservation(view, next.change);
      if (view !== undefined) yield view;
    }
  }

  /** Each round once it is finished and measured; the last one at the latest when the job ends. */
  async *rounds(signal?: AbortSignal): AsyncGenerator<FinishedRound, void, undefined> {
    let told = 0;
    for await (const { history, state } of this.views(signal)) {
      const isOver = hasJobEnded(state);
      for (const view of history.slice(told)) {
        if (view.endedAtMs === undefined || (view.evaluation === undefined && !isOver)) break;
        told += 1;
        yield { number: view.round, metrics: view.evaluation, view };
      }
    }
  }

  /** Waits until the job has ended. @returns its last view */
  async ended(signal?: AbortSignal): Promise<JobView | undefined> {
    let last: JobView | undefined;
    for await (const view of this.views(signal)) last = view;
    return last;
  }

  /**
   * The newest model of the job. When the session is lost meanwhile, another one is opened and brings the rest; when a
   * newer version was made until then, that one.
   * @throws RequestError `ERR_JOB_UNKNOWN`, `ERR_FORBIDDEN`, `ERR_BUSY` while another result is on its way; WireError
   *   when no session comes about; the signal's reason
   */
  async result(signal: AbortSignal = new AbortController().signal): Promise<JobResult> {
    return await this.#download(RESULT, signal);
  }

  /**
   * A version of the model that is kept: that of a round, 0 for the one that was submitted, or the best so far.
   * @throws as {@link result}; RequestError `ERR_JOB_INVALID` when it is not kept
   */
  async model(
    version: number | "best",
    signal: AbortSignal = new AbortController().signal,
  ): Promise<JobResult> {
    return await this.#download({ ...RESULT, version }, signal);
  }

  /**
   * Deletes the job, which has ended, with everything that is kept of it, by an order that the user signs.
   * @param options `reason`: why, for people; at most 200 characters
   * @throws RequestError `ERR_JOB_UNKNOWN`, `ERR_JOB_NOT_ENDED`, `ERR_FORBIDDEN`
   */
  async delete({ reason = "", signal }: AbortOptions = {}): Promise<void> {
    const object = await sealJobDeletion({ jobId: this.jobId, reason }, this.#modules);
    const { chain } = this.#modules.identity.participant;
    commandDone.parse(await this.#requests.order(object, chain, signal));
  }

  /**
   * Makes a new job of this one, which the user signs himself: the same model, and a definition with these changes. It says
   * whence it comes, and belongs to who made it.
   * @throws RequestError `ERR_FORBIDDEN`, `ERR_JOB_UNKNOWN`, `ERR_JOB_DELETED`, `ERR_CHECKPOINT_UNREADABLE`; JobError
   *   `ERR_JOB_INVALID`; EnvelopeError, PkiError when the server tells what the job's submitter has not signed
   */
  async clone(options: CloneOptions = {}): Promise<JobHandle> {
    return await this.#clone(options);
  }

  /** The forward ONNX graph that the job was submitted with. @throws as {@link result} */
  async graph(signal: AbortSignal = new AbortController().signal): Promise<Bytes> {
    return await this.#download(GRAPH, signal);
  }

  /**
   * Ends the job for good, by an order that the user signs: the sites see who gave it.
   * @param options `reason`: why, for people; at most 200 characters
   * @throws RequestError `ERR_JOB_UNKNOWN`, `ERR_FORBIDDEN`
   */
  async abort({ reason = "", signal }: AbortOptions = {}): Promise<void> {
    const object = await sealJobAbort({ jobId: this.jobId, reason }, this.#modules);
    const { chain } = this.#modules.identity.participant;
    jobEnded.parse(await this.#requests.order(object, chain, signal));
  }
}

/** True for the observation after which none follows. */
function hasEnded(next: Observation): boolean {
  if (next.kind === "snapshot") return hasJobEnded(next.job.state);
  return next.change.kind === "job" && hasJobEnded(next.change.state);
}
