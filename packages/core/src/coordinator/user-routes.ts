import type { AuditLog } from "../audit/index.ts";
import type { Actor, Authorizer, JobRight } from "../authorization/index.ts";
import { type Bytes, equalBytes, toHex } from "../bytes/index.ts";
import { builtInRegistry, decode } from "../decomposer/index.ts";
import type { VerifiedObject } from "../envelope/index.ts";
import { AuthorizationError, JobError, PhotinusError, WireError } from "../errors/index.ts";
import type { JobRecord } from "../job/index.ts";
import type { HeldBlob, JobQuery, JobSource, Listed, ListedJob, Observation } from "../message/index.ts";
import {
  commandDone,
  graphRequest,
  hasJobEnded,
  jobAbort,
  jobClone,
  jobEnded,
  jobGraph,
  jobList,
  jobQuery,
  jobSource,
  jobSourceRequest,
  jobSubmit,
  jobSubmitted,
  OBJECT_TYPES,
  observation,
  observe,
  parseJobAbortOrder,
  parseJobDeletionOrder,
  type ResultRequest,
  requestFailed,
  resultModel,
  resultRequest,
} from "../message/index.ts";
import { Allowance, type Clock, type Logger } from "../platform/index.ts";
import type { PluginHost } from "../plugin/index.ts";
import {
  type MessageRoute,
  on,
  type ReceivedMessage,
  type ResumeBody,
  resume,
  type Session,
  type SessionHandler,
} from "../session/index.ts";
import type { TensorEntry } from "../tensor/index.ts";
import type { Administration } from "./administration/administration.ts";
import { boundedAudit } from "./bounded-audit.ts";
import { IdleLimit } from "./idle-limit.ts";
import type { DeletionRequest } from "./job-deletion.ts";
import type { JobStop } from "./job-end.ts";
import { type RightRequest, requireJobRight, useJobRight } from "./job-rights.ts";
import { lackingFrames } from "./lacking-frames.ts";
import type { ResumedState } from "./live-site.ts";
import { identityOf, type MessageIdentity, requireSame } from "./message-identity.ts";
import type { ObserveOptions } from "./options.ts";
import type { PublishedBlob } from "./publisher.ts";
import type { Studies } from "./studies.ts";
import type { Submission, Submitted } from "./submission.ts";
import { isToComeBack } from "./submitted-contents.ts";
import { watchLog } from "./watch-log.ts";

/** The newest model of a job, ready to be sent. */
export interface ResultToSend {
  readonly version: number;
  readonly published: PublishedBlob;
  readonly tensors: readonly TensorEntry[];
}

/** What a coordinator does for users. */
export interface UserDesk {
  readonly submission: (session: Session) => Submission;
  /** A session takes up what lasts of the earlier ones of its user, and answers RESUME when there is one. */
  readonly takeUp: (session: Session, body: ResumeBody | undefined) => Promise<ResumedState>;
  /** SHA-256 of the payload of a user's message of which chunks are kept, hex. */
  readonly keptDigestOf: (urn: string, messageId: string) => string | undefined;
  /** A job is durable and waits. */
  readonly queue: (record: JobRecord) => Promise<void>;
  /** The record of a job, deleted or not. */
  readonly find: (jobId: string) => Promise<JobRecord | undefined>;
  /** Whose jobs are whose. */
  readonly studies: Studies;
  readonly observe: (jobId: string, options: ObserveOptions) => AsyncIterable<Observation>;
  /** Ends a job for good. */
  readonly abort: (jobId: string, stop: JobStop) => Promise<JobRecord>;
  /** Deletes a job that has ended. @throws JobError `ERR_JOB_NOT_ENDED` */
  readonly delete: (jobId: string, request: DeletionRequest) => Promise<void>;
  /** @param version absent: the newest */
  readonly result: (jobId: string, version: ResultRequest["version"]) => Promise<ResultToSend>;
  /** The graph of a job, published for this reader. */
  readonly graph: (jobId: string) => Promise<PublishedBlob>;
  /** What was signed of a job. @throws JobError `ERR_JOB_INVALID` when it is too large to be told */
  readonly source: (jobId: string) => Promise<JobSource>;
  /** A page of the jobs that somebody may view. */
  readonly list: (actor: Actor, query: JobQuery) => Promise<Listed<ListedJob>>;
  /** A user's session in which nothing is asked for so long is ended; absent: none is. */
  readonly userIdleMs: number | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly authorizer: Authorizer;
  readonly plugins: PluginHost;
  /** What administrators order; absent: nothing. */
  readonly administration: Administration | undefined;
}

/** Pages of lists that a session may ask for at once: the server goes through all its jobs for each. */
export const LISTS_AT_ONCE = 64;
/** Further ones that it may ask for in a second. */
const LISTS_PER_SECOND = 4;

/** An adapter watches jobs. Whatever else it sends is refused as unknown, objects too. */
function adapterHandler(desk: UserDesk, session: Session): SessionHandler {
  return { routes: [observeRoute(desk, session, new Seats(MAX_REQUESTS))] };
}

/** The messages and objects that a user or an adapter may send. */
export function userHandler(all: UserDesk, session: Session): SessionHandler {
  const desk = { ...all, audit: boundedAudit(all.audit, all.clock) };
  if (session.peer.role === "adapter") return adapterHandler(desk, session);
  const submission = desk.submission(session);
  const { userIdleMs: limitMs, clock } = desk;
  const idle = limitMs === undefined ? undefined : new IdleLimit(session, { limitMs, clock });
  const requests = new Seats(MAX_REQUESTS, idle);
  const results = new Seats(1, idle);
  const lists = new Allowance({ atOnce: LISTS_AT_ONCE, perSecond: LISTS_PER_SECOND });
  const handler = {
    onObject(object: VerifiedObject) {
      if (object.objectType === OBJECT_TYPES.jobAbort) return abortByOrder(object, session, desk);
      if (object.objectType === OBJECT_TYPES.jobDeletion) return deleteByOrder(object, session, desk);
      return object.objectType === OBJECT_TYPES.job || desk.administration === undefined
        ? submission.offer(object)
        : desk.administration.take(object, session);
    },
    routes: [
      ...(desk.administration?.routes ?? []),
      ...submissionRoutes(desk, session, { submission, requests }),
      observeRoute(desk, session, requests),
      on(jobAbort, ({ jobId }, { messageId }) => abort({ jobId, inReplyTo: messageId }, session, desk)),
      on(resultRequest, async ({ jobId, held, version: wanted }, { messageId: inReplyTo }) => {
        await useJobRight(requestOf(session, "download", jobId), desk);
        // Each is a model in memory until the user has read it.
        background(desk, { session, inReplyTo, seats: results }, async () => {
          const { version, published, tensors } = await desk.result(jobId, wanted);
          await session.sendObject(published.object, published.signerChain);
          const body = { jobId, version, model: published.reference, tensors };
          await session.send(resultModel, body, { inReplyTo });
          await sendLacking(session, published, held);
        });
      }),
      on(graphRequest, async ({ jobId, held }, { messageId: inReplyTo }) => {
        await useJobRight(requestOf(session, "download", jobId), desk);
        background(desk, { session, inReplyTo, seats: results }, async () => {
          const published = await desk.graph(jobId);
          await session.sendObject(published.object, published.signerChain);
          await session.send(jobGraph, { jobId, graph: published.reference }, { inReplyTo });
          await sendLacking(session, published, held);
        });
      }),
      on(jobQuery, async (query, { messageId: inReplyTo }) => {
        const retryAfterMs = lists.take(desk.clock.now());
        if (retryAfterMs > 0) throw new WireError("ERR_RATE_LIMITED", "too many lists", { retryAfterMs });
        await session.send(jobList, await desk.list(session.peer, query), { inReplyTo });
      }),
    ],
  };
  if (idle === undefined) return handler;
  const { onObject, routes } = handler;
  return {
    onObject: (object) => idle.during(() => onObject(object)),
    routes: routes.map((route) => idle.counted(route)),
  };
}

interface SubmissionDesk {
  readonly submission: Submission;
  /** Work of the session that may be under way at once. */
  readonly requests: Seats;
}

/** What hands jobs in, and RESUME, which comes before that. */
function submissionRoutes(
  desk: UserDesk,
  session: Session,
  { submission, requests: seats }: SubmissionDesk,
): readonly MessageRoute[] {
  let taken: Promise<ResumedState> | undefined;
  /** The work takes its time; other messages of this user need not wait for it. */
  const handIn = async (
    message: ReceivedMessage,
    work: (identity: MessageIdentity, urn: string) => Promise<Submitted>,
  ): Promise<void> => {
    const { messageId: inReplyTo } = message;
    taken ??= desk.takeUp(session, undefined);
    const { urn } = (await taken).record;
    const identity = identityOf(message);
    // [W-192]
    requireSame(desk.keptDigestOf(urn, identity.messageId), identity);
    background(desk, { session, inReplyTo, seats }, async () => {
      const received = await work(identity, urn);
      if ("state" in received) await desk.queue(received);
      await session.send(jobSubmitted, { jobId: received.jobId }, { inReplyTo });
    });
  };
  return [
    on(resume, async (body) => {
      // [W-124]
      if (taken !== undefined) throw new WireError("ERR_RESUME_REFUSED", "RESUME comes first, and once");
      taken = desk.takeUp(session, body);
      await taken;
    }),
    on(jobSubmit, (body, message) =>
      handIn(message, (identity, urn) => submission.receive(body, identity, urn)),
    ),
    on(jobClone, (body, message) =>
      handIn(message, (identity, urn) => submission.clone(body, identity, urn)),
    ),
    on(jobSourceRequest, async ({ jobId }, { messageId: inReplyTo }) => {
      await useJobRight(requestOf(session, "clone", jobId), desk);
      await session.send(jobSource, await desk.source(jobId), { inReplyTo });
    }),
  ];
}

/** The chunks that the user has not got in an earlier session. */
async function sendLacking(
  session: Session,
  { blob, reference }: PublishedBlob,
  held: HeldBlob | undefined,
): Promise<void> {
  const isThis = held !== undefined && equalBytes(held.root, reference.root);
  const { frames } = lackingFrames(blob, isThis ? held.received : undefined);
  if (frames.length > 0) await session.sendBlob({ frames }, session.signal);
}

/** @throws AuthorizationError `ERR_FORBIDDEN`; JobError `ERR_JOB_UNKNOWN`; MessageError `ERR_MESSAGE_MALFORMED` */
async function abortByOrder(order: VerifiedObject, session: Session, desk: UserDesk): Promise<void> {
  requireOwn(order, session);
  const { jobId, reason } = parseJobAbortOrder(decode(order.payload, builtInRegistry()));
  await abort({ jobId, inReplyTo: order.objectId, reason, order }, session, desk);
}

/** @throws AuthorizationError `ERR_FORBIDDEN`; JobError `ERR_JOB_UNKNOWN`, `ERR_JOB_NOT_ENDED`, `ERR_JOB_DELETED`; MessageError */
async function deleteByOrder(order: VerifiedObject, session: Session, desk: UserDesk): Promise<void> {
  requireOwn(order, session);
  const { jobId, reason } = parseJobDeletionOrder(decode(order.payload, builtInRegistry()));
  await useJobRight(requestOf(session, "delete", jobId), desk);
  await desk.delete(jobId, { by: session.peer.name, reason });
  await session.send(commandDone, { detail: "the job is deleted" }, { inReplyTo: order.objectId });
}

/** @throws AuthorizationError `ERR_FORBIDDEN` */
function requireOwn({ signer }: VerifiedObject, { peer }: Session): void {
  if (equalBytes(signer.leafDigest, peer.leafDigest)) return;
  throw new AuthorizationError("ERR_FORBIDDEN", "an order is brought by the one who signed it");
}

interface Abort extends Omit<JobStop, "by"> {
  readonly jobId: string;
  readonly inReplyTo: Bytes;
}

async function abort({ jobId, inReplyTo, ...stop }: Abort, session: Session, desk: UserDesk): Promise<void> {
  await useJobRight(requestOf(session, "abort", jobId), desk);
  const { state, reason } = await desk.abort(jobId, { ...stop, by: session.peer.name });
  if (!hasJobEnded(state)) throw new JobError("ERR_JOB_FAILED", "it still runs");
  await session.send(jobEnded, { jobId, state, reason }, { inReplyTo });
}

function observeRoute(desk: UserDesk, session: Session, seats: Seats): MessageRoute {
  return on(observe, async ({ jobId, fromSequence }, { messageId: inReplyTo }) => {
    await requireJobRight(requestOf(session, "view", jobId), desk);
    const from = fromSequence === undefined ? {} : { fromSequence };
    const job = { jobId, ...(await desk.find(jobId)) };
    background(desk, { session, inReplyTo, seats }, async () => {
      // A signal of its own: a session may watch many jobs.
      const signal = AbortSignal.any([session.signal]);
      const observations = desk.observe(jobId, { ...from, signal });
      for await (const next of watchLog({ job, actor: session.peer }, observations, desk.studies)) {
        await session.send(observation, { jobId, observation: next }, { inReplyTo, scope: jobId });
      }
    });
  });
}

function requestOf({ peer }: Session, right: JobRight, jobId: string): RightRequest {
  return { actor: peer, recordedAs: `${toHex(peer.leafDigest)} ${peer.name}`, right, jobId };
}

/** Requests of one session that may be under way at once: jobs that are handed in and jobs that are watched. */
const MAX_REQUESTS = 32;

/** So many pieces of work at once and no more. */
class Seats {
  readonly #idle: IdleLimit | undefined;
  #free: number;

  /** @param idle told of what is under way */
  constructor(count: number, idle?: IdleLimit) {
    this.#free = count;
    this.#idle = idle;
  }

  /** @returns gives the seat back. @throws WireError `ERR_BUSY` */
  take(): () => void {
    if (this.#free === 0) throw new WireError("ERR_BUSY", "too many requests of this session are under way");
    this.#free -= 1;
    const end = this.#idle?.begin();
    return () => {
      this.#free += 1;
      end?.();
    };
  }
}

/**
 * Work that goes on beside the session's messages; its fault is told to the user in reply.
 * @throws WireError `ERR_BUSY` when the session has too much of it
 */
function background(desk: UserDesk, { session, inReplyTo, seats }: Reply, work: () => Promise<void>): void {
  const leave = seats.take();
  work()
    .finally(leave)
    .catch(async (error: unknown) => {
      // The end of the session tells it, and the user comes back.
      if (session.signal.aborted || isToComeBack(error)) return;
      desk.logger.warn("a request of a user failed", { user: session.peer.name, detail: String(error) });
      const isTold = error instanceof PhotinusError;
      const body = {
        code: isTold ? error.code : "ERR_INTERNAL",
        detail: isTold ? error.message.slice(0, 500) : "",
      };
      await session.send(requestFailed, body, { inReplyTo });
    })
    .catch((error: unknown) => desk.logger.debug("nobody to tell", { detail: String(error) }));
}

interface Reply {
  readonly session: Session;
  readonly inReplyTo: Bytes;
  readonly seats: Seats;
}
