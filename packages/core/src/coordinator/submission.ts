import type { AuditLog } from "../audit/index.ts";
import { decideJob, decisionDetails, type PolicyDecision } from "../authorization/index.ts";
import { concatBytes, equalBytes, toHex, utf8 } from "../bytes/index.ts";
import { decode } from "../decomposer/index.ts";
import type { VerifiedObject } from "../envelope/index.ts";
import {
  AuthorizationError,
  EnvelopeError,
  JobError,
  PhotinusError,
  StorageError,
  WireError,
} from "../errors/index.ts";
import { type JobPayload, type JobRecord, parseJobPayload } from "../job/index.ts";
import { type JobClone, type JobSubmit, OBJECT_TYPES } from "../message/index.ts";
import type { JobFacts } from "../plugin/index.ts";
import type { Session } from "../session/index.ts";
import { boundedAudit } from "./bounded-audit.ts";
import { cloneContents } from "./clone-contents.ts";
import type { JobModules } from "./job-context.ts";
import { abortedBy, endedRecord } from "./job-end.ts";
import { encodeStoredObject, factsOf } from "./job-loader.ts";
import { type MessageIdentity, requireSame } from "./message-identity.ts";
import { receiveContents } from "./submitted-contents.ts";

/** Job objects that one session may have sent without submitting them. */
const MAX_PENDING = 4;

/** Limits of {@link Submission}. */
export interface SubmissionLimits {
  /** Most bytes of a graph and of a model. */
  readonly maximumModelBytes: number;
  /** @throws WireError `ERR_BUSY` when too many jobs wait */
  readonly requirePlace: () => void;
}

/** The submissions of all users' sessions at one coordinator. */
export class Submissions {
  readonly #limits: SubmissionLimits;
  readonly #modules: JobModules;
  /** By user and message: sent again in a newer session, it waits for what the older one comes to. */
  readonly #underWay = new Map<string, Promise<unknown>>();
  readonly #stop = new AbortController();

  constructor(limits: SubmissionLimits, modules: JobModules) {
    this.#limits = limits;
    this.#modules = modules;
  }

  /** Those of one session. */
  of(session: Session): Submission {
    const signal = AbortSignal.any([session.signal, this.#stop.signal]);
    const turn = (key: string, work: () => Promise<Submitted>): Promise<Submitted> => this.#inTurn(key, work);
    const refusals = boundedAudit(this.#modules.audit, this.#modules.clock);
    return new Submission({ session, signal, limits: this.#limits, turn, refusals }, this.#modules);
  }

  /** Ends what is under way, to go on in another process; resolves when all of it is quiet. */
  async stop(): Promise<void> {
    this.#stop.abort(new WireError("ERR_GOING_AWAY", "the server stops"));
    await Promise.all(this.#underWay.values());
  }

  async #inTurn(key: string, work: () => Promise<Submitted>): Promise<Submitted> {
    const before = this.#underWay.get(key);
    const turn = (before ?? Promise.resolve()).then(work);
    const settled: Promise<void> = turn
      .then(
        () => undefined,
        () => undefined, // who called hears of it
      )
      .then(() => {
        if (this.#underWay.get(key) === settled) this.#underWay.delete(key);
      });
    this.#underWay.set(key, settled);
    return await turn;
  }
}

/** A new job, or the id of one that the same user handed in before. */
export type Submitted = JobRecord | { readonly jobId: string };

/** What job-submit and job-clone say alike. */
type HandedIn = Pick<JobSubmit, "jobId" | "submitToken">;

/** Who hands in, and by which message. */
interface Origin {
  readonly message: MessageIdentity;
  /** SAN URI of the user. */
  readonly urn: string;
}

/** Brings graph and initial parameters of a job. @returns names of their sealed blobs */
type Bring = (payload: JobPayload) => Promise<readonly string[]>;

interface SubmissionParts {
  readonly session: Session;
  /** Aborted when the session or the process ends. */
  readonly signal: AbortSignal;
  readonly limits: SubmissionLimits;
  /** Where refusals are recorded. */
  readonly refusals: AuditLog;
  /** Does the work when nothing under this key is under way. */
  readonly turn: (key: string, work: () => Promise<Submitted>) => Promise<Submitted>;
}

/** Takes jobs from one user's session: the signed object first, then graph and parameters; durable before it answers. */
export class Submission {
  readonly #parts: SubmissionParts;
  readonly #modules: JobModules;
  readonly #pending = new Map<string, VerifiedObject>();

  constructor(parts: SubmissionParts, modules: JobModules) {
    this.#parts = parts;
    this.#modules = modules;
  }

  /** A job OBJECT arrived, verified. What speaks against it is told in reply to the submit. */
  offer(object: VerifiedObject): void {
    if (object.objectType !== OBJECT_TYPES.job) throw new JobError("ERR_JOB_INVALID", "not a job");
    if (this.#pending.size >= MAX_PENDING) throw new JobError("ERR_JOB_INVALID", "too many jobs at once");
    this.#pending.set(toHex(object.objectId), object);
  }

  /**
   * Receives what belongs to an offered job and stores everything. The same message in a newer session of the user goes
   * on where the older one ended, or is answered as before.
   * @returns the record, or the id of the job that the message or the submit token stands for
   * @throws JobError `ERR_JOB_UNKNOWN`, `ERR_JOB_INVALID`, `ERR_WORKFLOW_UNKNOWN`; AuthorizationError `ERR_FORBIDDEN`;
   *   WireError `ERR_BUSY` when too many jobs wait;
   *   EnvelopeError `ERR_ENVELOPE_REPLAYED` when the job was handed in before, in whatever session
   */
  async receive(body: JobSubmit, message: MessageIdentity, urn: string): Promise<Submitted> {
    const { session, signal } = this.#parts;
    const origin = { session, urn, message, jobId: body.jobId, signal };
    return await this.#inTurn(body, { message, urn }, ({ definition, ...payload }) => {
      // [W-196]
      if (payload.clonedFrom !== undefined)
        throw new JobError("ERR_JOB_INVALID", "clonedFrom: a clone is handed in by job-clone");
      const contents = [
        { manifest: body.graph, expected: payload.graph },
        { manifest: body.parameters, expected: payload.initialParameters },
      ];
      return receiveContents(contents, { ...origin, chunkBytes: definition.chunkBytes }, this.#modules);
    });
  }

  /**
   * Takes a job whose graph and parameters are those of another one, which its signer may clone.
   * @returns as {@link receive}
   * @throws as {@link receive}; JobError `ERR_JOB_DELETED`, `ERR_CHECKPOINT_UNREADABLE` when what was kept of the other is gone
   */
  async clone(body: JobClone, message: MessageIdentity, urn: string): Promise<Submitted> {
    const { session, signal } = this.#parts;
    return await this.#inTurn(body, { message, urn }, (payload) =>
      cloneContents({ jobId: body.jobId, payload, session, signal }, this.#modules),
    );
  }

  async #inTurn(body: HandedIn, origin: Origin, bring: Bring): Promise<Submitted> {
    const object = this.#pending.get(body.jobId);
    if (object === undefined)
      throw new JobError("ERR_JOB_UNKNOWN", `send the job object ${body.jobId} first`);
    this.#pending.delete(body.jobId);
    await this.#recorded(object, () => this.#requireRight(object));
    const { messageId, payloadDigest } = origin.message;
    const key = `${messageId} ${payloadDigest} ${origin.urn}`;
    return await this.#parts.turn(key, () => this.#take(object, body, { message: origin.message, bring }));
  }

  async #take(
    object: VerifiedObject,
    body: HandedIn,
    { message, bring }: { readonly message: MessageIdentity; readonly bring: Bring },
  ): Promise<Submitted> {
    const { signal } = this.#parts;
    const tokenDigest = await this.#tokenDigest(body.submitToken);
    const known = tokenDigest === undefined ? undefined : await this.#modules.jobs.jobOfToken(tokenDigest);
    if (known !== undefined) return { jobId: (await this.#modules.jobs.get(known)).jobId };
    const told = await this.#answered(object, message, tokenDigest);
    if (told !== undefined) return told;
    signal.throwIfAborted();
    this.#parts.limits.requirePlace(); // a job that is known has its place
    const payload = this.#parse(object);
    const facts = { job: this.#factsOf(object, payload) };
    await this.#modules.plugins.require("submission", facts, { signal, correlation: facts.job.jobId });
    const { clonedFrom, definition } = payload;
    await this.#recorded(object, () => this.#modules.studies.requirePossible(definition));
    const { name, retention, study } = definition;
    const retained = {
      ...(retention?.days === undefined ? {} : { retainDays: retention.days }),
      ...(study === undefined ? {} : { study }),
    };
    const source = clonedFrom === undefined ? {} : { clonedFrom };
    const [graph = "", initialModel = ""] = await bring(payload);
    try {
      const content = { name, graph, initialModel, submission: message, ...retained, ...source };
      const record = await this.#store(object, content);
      this.#modules.plugins.emit("jobSubmitted", facts);
      return await this.#keepToken(tokenDigest, record);
    } catch (error) {
      if (!isStored(error)) throw error;
      // Handed in at another gateway at the same time.
      for (const blob of [graph, initialModel]) await this.#modules.checkpoints.delete(blob);
      return (await this.#answered(object, message, tokenDigest)) ?? { jobId: body.jobId };
    }
  }

  /** The signer's own certificate decides, in the study that the job names; never what a message says. */
  async #requireRight(object: VerifiedObject): Promise<void> {
    const { signer } = object;
    if (!equalBytes(signer.leafDigest, this.#parts.session.peer.leafDigest)) {
      throw new AuthorizationError("ERR_FORBIDDEN", "a job is submitted by the one who signed it");
    }
    const { study } = this.#parse(object).definition;
    const actor = this.#modules.studies.requireActor(study, signer);
    const decision = decideJob({ actor, right: "submit" }, this.#modules.authorizer);
    if (!decision.allowed) throw new SubmitDenied(decision);
  }

  /** What speaks against a job is on record before its submitter hears of it. */
  async #recorded({ signer, objectId }: VerifiedObject, check: () => Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof PhotinusError)) throw error;
      const jobId = toHex(objectId);
      await this.#parts.refusals.record({
        actor: `${toHex(signer.leafDigest)} ${signer.name}`,
        action: "job",
        object: jobId,
        outcome: "refused",
        reason: "submit",
        correlation: jobId,
        details:
          error instanceof SubmitDenied
            ? decisionDetails(error.decision)
            : { code: error.code, why: error.message },
      });
      throw error;
    }
  }

  /**
   * What the same message came to before. The store of jobs forgets none, and every gateway shares it. Two at once: the
   * one that creates the record is it.
   * @throws EnvelopeError `ERR_ENVELOPE_REPLAYED` when another message handed the job in
   */
  async #answered(
    { objectId, signer }: VerifiedObject,
    message: MessageIdentity,
    tokenDigest: string | undefined,
  ): Promise<Submitted | undefined> {
    const { jobs } = this.#modules;
    const jobId = toHex(objectId);
    if (!(await jobs.has(jobId))) return undefined;
    const record = await jobs.get(jobId);
    const { submission, submitter } = record;
    // [W-155] [W-193]
    const isSame =
      submission?.messageId === message.messageId && submitter.leafDigest === toHex(signer.leafDigest);
    if (!isSame) throw new EnvelopeError("ERR_ENVELOPE_REPLAYED", "this job was handed in before");
    requireSame(submission.payloadDigest, message);
    return { jobId: (await this.#keepToken(tokenDigest, record)).jobId };
  }

  #factsOf({ objectId, signer }: VerifiedObject, payload: JobPayload): JobFacts {
    const { name, org, role } = signer;
    const submitter = { name, org, role, leafDigest: toHex(signer.leafDigest) };
    return factsOf({ jobId: toHex(objectId), submitter }, payload);
  }

  #parse(object: VerifiedObject): JobPayload {
    const payload = parseJobPayload(decode(object.payload, this.#modules.registry));
    const { name } = payload.definition.workflow;
    if (!this.#modules.workflows.has(name)) {
      throw new JobError("ERR_WORKFLOW_UNKNOWN", `there is no workflow ${name}`);
    }
    for (const { byteLength } of [payload.graph, payload.initialParameters]) {
      if (byteLength > this.#parts.limits.maximumModelBytes) {
        throw new JobError(
          "ERR_JOB_INVALID",
          `at most ${this.#parts.limits.maximumModelBytes} bytes (got ${byteLength})`,
        );
      }
    }
    return payload;
  }

  async #store(
    object: VerifiedObject,
    content: Pick<
      JobRecord,
      "name" | "graph" | "initialModel" | "submission" | "retainDays" | "clonedFrom" | "study"
    >,
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
      ...(content.clonedFrom === undefined ? {} : { details: { clonedFrom: content.clonedFrom } }),
    });
    try {
      await jobs.create(record);
    } catch (error) {
      await checkpoints.delete(stored);
      throw error;
    }
    return record;
  }

  async #keepToken(tokenDigest: string | undefined, record: JobRecord): Promise<Submitted> {
    if (tokenDigest === undefined) return record;
    try {
      await this.#modules.jobs.keepToken(tokenDigest, record.jobId);
      return record;
    } catch (error) {
      if (!isStored(error)) throw error;
      const jobId = (await this.#modules.jobs.jobOfToken(tokenDigest)) ?? record.jobId;
      if (jobId === record.jobId) return record;
      // Two submits of one token raced: the first one is the job.
      const end = abortedBy({ reason: "another job has its submit token" });
      await this.#modules.jobs.update(record, endedRecord("aborted", end, this.#modules));
      return { jobId };
    }
  }

  async #tokenDigest(token: string | undefined): Promise<string | undefined> {
    if (token === undefined) return undefined;
    const user = utf8(`${this.#parts.session.peer.name}\0`);
    return toHex(await this.#modules.crypto.sha256(concatBytes(user, utf8(token))));
  }
}

/** The policy of the server refuses. */
class SubmitDenied extends AuthorizationError {
  readonly decision: PolicyDecision;

  constructor(decision: PolicyDecision) {
    super("ERR_FORBIDDEN", decision.why);
    this.decision = decision;
  }
}

/** True when the record is there already. */
const isStored = (error: unknown): boolean =>
  error instanceof StorageError && error.code === "ERR_STORAGE_EXISTS";
