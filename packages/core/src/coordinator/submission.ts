import { decideJob, decisionDetails } from "../authorization/index.ts";
import { concatBytes, equalBytes, toHex, utf8 } from "../bytes/index.ts";
import { decode } from "../decomposer/index.ts";
import type { VerifiedObject } from "../envelope/index.ts";
import { AuthorizationError, EnvelopeError, JobError, StorageError } from "../errors/index.ts";
import { type JobPayload, type JobRecord, parseJobPayload } from "../job/index.ts";
import { type JobSubmit, OBJECT_TYPES } from "../message/index.ts";
import type { Session } from "../session/index.ts";
import type { StreamManifest } from "../stream/index.ts";
import type { JobModules } from "./job-context.ts";
import { encodeStoredObject } from "./job-loader.ts";
import { receiveStream } from "./receive-stream.ts";

/** Job objects that one session may have sent without submitting them. */
const MAX_PENDING = 4;

/** Limits of {@link Submission}. */
export interface SubmissionLimits {
  /** Most bytes of a graph and of a model. */
  readonly maximumModelBytes: number;
}

/** Takes jobs from one user's session: the signed object first, then graph and parameters; durable before it answers. */
export class Submission {
  readonly #session: Session;
  readonly #limits: SubmissionLimits;
  readonly #modules: JobModules;
  readonly #pending = new Map<string, VerifiedObject>();

  constructor(session: Session, limits: SubmissionLimits, modules: JobModules) {
    this.#session = session;
    this.#limits = limits;
    this.#modules = modules;
  }

  /** A job OBJECT arrived, verified. What speaks against it is told in reply to the submit. */
  offer(object: VerifiedObject): void {
    if (object.objectType !== OBJECT_TYPES.job) throw new JobError("ERR_JOB_INVALID", "not a job");
    if (this.#pending.size >= MAX_PENDING) throw new JobError("ERR_JOB_INVALID", "too many jobs at once");
    this.#pending.set(toHex(object.objectId), object);
  }

  /**
   * Receives what belongs to an offered job and stores everything.
   * @returns the record, or the id of the job that the submit token stands for
   * @throws JobError `ERR_JOB_UNKNOWN`, `ERR_JOB_INVALID`, `ERR_WORKFLOW_UNKNOWN`; AuthorizationError `ERR_FORBIDDEN`;
   *   EnvelopeError `ERR_ENVELOPE_REPLAYED` when the job was handed in before, in whatever session
   */
  async receive(body: JobSubmit): Promise<JobRecord | { readonly jobId: string }> {
    const object = this.#pending.get(body.jobId);
    if (object === undefined)
      throw new JobError("ERR_JOB_UNKNOWN", `send the job object ${body.jobId} first`);
    this.#pending.delete(body.jobId);
    await this.#requireRight(object);
    const tokenDigest = await this.#tokenDigest(body.submitToken);
    const known = tokenDigest === undefined ? undefined : await this.#modules.jobs.jobOfToken(tokenDigest);
    if (known !== undefined) return { jobId: known };
    await this.#requireNew(body.jobId);
    const payload = this.#parse(object);
    const { chunkBytes } = payload.definition;
    const graph = await this.#receiveContent(body.graph, { ...payload.graph, chunkBytes });
    const initialModel = await this.#receiveContent(body.parameters, {
      ...payload.initialParameters,
      chunkBytes,
    });
    const record = await this.#store(object, { name: payload.definition.name, graph, initialModel });
    return await this.#keepToken(tokenDigest, record);
  }

  /** The signer's own certificate decides, never what a message says. */
  async #requireRight({ signer, objectId }: VerifiedObject): Promise<void> {
    if (!equalBytes(signer.leafDigest, this.#session.peer.leafDigest)) {
      throw new AuthorizationError("ERR_FORBIDDEN", "a job is submitted by the one who signed it");
    }
    const decision = decideJob({ actor: signer, right: "submit" }, this.#modules.authorizer);
    if (decision.allowed) return;
    const jobId = toHex(objectId);
    await this.#modules.audit.record({
      actor: `${toHex(signer.leafDigest)} ${signer.name}`,
      action: "job",
      object: jobId,
      outcome: "refused",
      reason: "submit",
      correlation: jobId,
      details: decisionDetails(decision),
    });
    throw new AuthorizationError("ERR_FORBIDDEN", decision.why);
  }

  /** The store of jobs forgets none, and every gateway shares it. Two at once: the one that creates the record is it. */
  async #requireNew(jobId: string): Promise<void> {
    // [W-155]
    if (!(await this.#modules.jobs.has(jobId))) return;
    throw new EnvelopeError("ERR_ENVELOPE_REPLAYED", "this job was handed in before");
  }

  #parse(object: VerifiedObject): JobPayload {
    const payload = parseJobPayload(decode(object.payload, this.#modules.registry));
    const { name } = payload.definition.workflow;
    if (!this.#modules.workflows.has(name)) {
      throw new JobError("ERR_WORKFLOW_UNKNOWN", `there is no workflow ${name}`);
    }
    for (const { byteLength } of [payload.graph, payload.initialParameters]) {
      if (byteLength > this.#limits.maximumModelBytes) {
        throw new JobError(
          "ERR_JOB_INVALID",
          `at most ${this.#limits.maximumModelBytes} bytes (got ${byteLength})`,
        );
      }
    }
    return payload;
  }

  /** @returns name of the sealed blob */
  async #receiveContent(
    manifest: StreamManifest,
    expected: JobPayload["graph"] & { readonly chunkBytes: number },
  ): Promise<string> {
    const { slots, crypto, checkpoints, clock, project } = this.#modules;
    if (manifest.totalBytes !== expected.byteLength) {
      throw new JobError(
        "ERR_JOB_INVALID",
        `the job names ${expected.byteLength} bytes (got ${manifest.totalBytes})`,
      );
    }
    const { signal } = this.#session;
    const slot = await slots.acquire("", expected.byteLength, signal);
    try {
      await receiveStream(this.#session, manifest, { bytes: slot.bytes, clock, signal });
      if (!equalBytes(await crypto.sha256(slot.bytes), expected.digest)) {
        throw new JobError("ERR_JOB_INVALID", "what came is not what the job names");
      }
      const { chunkBytes } = expected;
      return await checkpoints.putPublished(slot.bytes, { project, chunkBytes });
    } finally {
      slot.release();
    }
  }

  async #store(
    object: VerifiedObject,
    content: Pick<JobRecord, "name" | "graph" | "initialModel">,
  ): Promise<JobRecord> {
    const { checkpoints, clock, jobs, audit } = this.#modules;
    const { signer, objectId, bytes, payload } = object;
    const stored = await checkpoints.put(encodeStoredObject({ object: bytes, payload, chain: signer.chain }));
    const jobId = toHex(objectId);
    const leafDigest = toHex(signer.leafDigest);
    const record: JobRecord = {
      stateVersion: 1,
      jobId,
      state: "waiting",
      reason: "",
      submitter: { name: signer.name, org: signer.org, role: signer.role, leafDigest },
      submittedAtMs: Math.trunc(clock.now()),
      object: stored,
      ...content,
      last: { version: 0, checkpoint: content.initialModel },
    };
    await audit.record({
      actor: `${leafDigest} ${signer.name}`,
      action: "job",
      object: jobId,
      outcome: "accepted",
      reason: "submitted",
      correlation: jobId,
    });
    await jobs.create(record);
    return record;
  }

  async #keepToken(
    tokenDigest: string | undefined,
    record: JobRecord,
  ): Promise<JobRecord | { readonly jobId: string }> {
    if (tokenDigest === undefined) return record;
    try {
      await this.#modules.jobs.keepToken(tokenDigest, record.jobId);
      return record;
    } catch (error) {
      // Two submits of one token raced: the first one is the job.
      if (!(error instanceof StorageError) || error.code !== "ERR_STORAGE_EXISTS") throw error;
      await this.#modules.jobs.update(record, { state: "aborted", reason: "ERR_JOB_ABORTED" });
      return { jobId: (await this.#modules.jobs.jobOfToken(tokenDigest)) ?? record.jobId };
    }
  }

  async #tokenDigest(token: string | undefined): Promise<string | undefined> {
    if (token === undefined) return undefined;
    const user = utf8(`${this.#session.peer.name}\0`);
    return toHex(await this.#modules.crypto.sha256(concatBytes(user, utf8(token))));
  }
}
