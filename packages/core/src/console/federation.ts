import type { Bytes } from "../bytes/index.ts";
import { builtInRegistry, decode } from "../decomposer/index.ts";
import { memoryReplayStore, type VerifiedObject } from "../envelope/index.ts";
import { MessageError } from "../errors/index.ts";
import { type JobBundle, type SignedJob, signClone, signJob } from "../job/index.ts";
import {
  certificateList,
  commandDone,
  inviteList,
  type JobQuery,
  type JobSubmit,
  jobClone,
  jobEnded,
  jobGraph,
  jobList,
  jobQuery,
  jobSource,
  jobSourceRequest,
  jobSubmit,
  jobSubmitted,
  type ListedJob,
  MAX_LISTED,
  OBJECT_TYPES,
  observation,
  parsePublication,
  requestFailed,
  requestList,
  resultModel,
} from "../message/index.ts";
import { type Identity, RevocationLists } from "../pki/index.ts";
import { silentLogger } from "../platform/index.ts";
import {
  isSuspensionObject,
  on,
  openSession,
  Requests,
  type Resent,
  requireServerNotRevoked,
  resume,
  resumed,
  type Session,
  type SessionHandler,
  takeSuspension,
} from "../session/index.ts";
import { bytesSource, makeManifest, type StreamManifest } from "../stream/index.ts";
import { Administration } from "./administration.ts";
import { BlobDownload, type Wanted } from "./blob-download.ts";
import { JobHandle } from "./job-handle.ts";
import { Link } from "./link.ts";
import { openSource } from "./open-source.ts";
import type {
  CloneOptions,
  ConnectOptions,
  ConsoleTransport,
  JobsOptions,
  SubmitOptions,
} from "./options.ts";

/**
 * Connects as a user.
 *
 * @throws WireError, PkiError when no session comes about; the signal's reason
 * @example
 * const federation = await connect({ kit, transport });
 * const job = await federation.submit(jobDefinition, { submitToken: "run-1" });
 * for await (const round of job.rounds()) console.log(round.number, round.metrics);
 * const { model } = await job.result();
 */
export async function connect({ kit, transport, ...options }: ConnectOptions): Promise<Federation> {
  const { connector, clock, crypto, logger = silentLogger, credentials } = transport;
  const replayStore = memoryReplayStore({ clock });
  const { identity, configuration } = kit;
  const [root, project, serverName] = [kit.root.der, configuration.project, configuration.server.name];
  const revocations = options.revocations ?? new RevocationLists({ project, root }, { clock, crypto });
  const session = { identity, project, root, serverName, revocations };
  const open = (signal: AbortSignal): Promise<Session> =>
    openSession(
      (stop) => connector.connect(stop),
      { session, credentials },
      { clock, crypto, logger, replayStore: () => replayStore, signal },
    );
  const first = await open(options.signal ?? new AbortController().signal);
  return new Federation(first, { identity, root, revocations, open }, transport);
}

/** What a {@link Federation} belongs to. */
export interface FederationParts {
  /** Certificate and key of the user. */
  readonly identity: Identity;
  /** Root certificate of the project, DER. */
  readonly root: Bytes;
  /** What is known about revoked certificates. */
  readonly revocations: RevocationLists;
  /** Opens the next session, for work whose session was lost. */
  readonly open: (signal: AbortSignal) => Promise<Session>;
}

/** Jobs that a list holds at most unless it is told otherwise. */
const MAX_JOBS = 10_000;

/** A federation as a user sees it, over one session; what is under way when it is lost goes on over the next. */
export class Federation {
  readonly #link: Link;
  readonly #identity: Identity;
  readonly #modules: ConsoleTransport;
  readonly #requests: Requests;
  readonly #project: string;
  /** Results and graphs that are on their way. */
  readonly #downloads = new Set<Pick<BlobDownload<unknown>, "inbox">>();
  readonly #revocations: RevocationLists;
  readonly #root: Bytes;
  /** Sessions that have begun with RESUME. */
  readonly #announced = new WeakSet<Session>();
  /** Id of the last session that the server took up. */
  #lastSession: Bytes | undefined;
  /** What administrators may do; the server refuses others. */
  readonly administration: Administration;

  /** @param session of the user, not receiving yet */
  constructor(session: Session, parts: FederationParts, modules: ConsoleTransport) {
    const { identity, root, revocations, open } = parts;
    this.#identity = identity;
    this.#revocations = revocations;
    this.#root = root;
    this.#modules = modules;
    const { crypto, clock, logger = silentLogger } = modules;
    this.#requests = new Requests(crypto);
    const requests = this.#requests;
    this.administration = new Administration({ session, identity, root, requests, crypto, clock });
    this.#project = session.self.project;
    const onSession = (next: Session): void => {
      this.#requests.use(next);
      next.receive(this.#handler());
    };
    this.#link = new Link(session, { open, onSession, clock, crypto, logger });
  }

  /**
   * Signs a job and hands it in; resolves when it is durable at the server. When the session is lost meanwhile, another
   * one is opened and the rest is sent: the job is handed in once, and no chunk that arrived is sent again.
   * @throws JobError `ERR_JOB_INVALID`; RequestError with the server's code
   */
  async submit(bundle: JobBundle, { submitToken, signal }: SubmitOptions = {}): Promise<JobHandle> {
    const { crypto, clock } = this.#modules;
    const job = await signJob(bundle, { identity: this.#identity, crypto, clock });
    const graph = await this.#manifest(job, job.graph);
    const parameters = await this.#manifest(job, job.parameters);
    const token = submitToken === undefined ? {} : { submitToken };
    const body = { jobId: job.jobId, graph, parameters, ...token };
    // The same message in whatever session: the server knows by its id what it has of it.
    const message = { definition: jobSubmit, body, messageId: crypto.randomBytes(16) };
    const reply = await this.#link.persist(
      (session) => this.#handIn(session, job, { message, signal }),
      signal,
    );
    return this.job(jobSubmitted.parse(reply).jobId);
  }

  /**
   * Clones a job: the user signs it anew, with changes, and says whence it comes; its model stays at the server.
   * @throws RequestError `ERR_FORBIDDEN`, `ERR_JOB_UNKNOWN`, `ERR_JOB_DELETED`; JobError `ERR_JOB_INVALID`; EnvelopeError,
   *   PkiError when what the server tells was not signed by the submitter of the job
   */
  async #clone(jobId: string, { changes = {}, submitToken, signal }: CloneOptions): Promise<JobHandle> {
    const { crypto, clock } = this.#modules;
    const told = await this.#link.persist(
      () => this.#requests.ask(jobSourceRequest, { jobId }, signal),
      signal,
    );
    const verifying = { project: this.#project, root: this.#root, revocations: this.#revocations };
    const source = await openSource(jobId, jobSource.parse(told), { ...verifying, crypto, clock });
    const job = await signClone(source, changes, { identity: this.#identity, crypto, clock });
    const token = submitToken === undefined ? {} : { submitToken };
    const body = { jobId: job.jobId, ...token };
    const message = { definition: jobClone, body, messageId: crypto.randomBytes(16) };
    const reply = await this.#link.persist(async (session) => {
      await this.#announce(session);
      await session.sendObject(job.object, this.#identity.participant.chain);
      return await this.#requests.askAgain(message, signal);
    }, signal);
    return this.job(jobSubmitted.parse(reply).jobId);
  }

  /** Once over one session. */
  async #handIn(
    session: Session,
    job: SignedJob,
    { message, signal }: { readonly message: Resent<JobSubmit>; readonly signal: AbortSignal | undefined },
  ): Promise<unknown> {
    await this.#announce(session);
    await session.sendObject(job.object, this.#identity.participant.chain);
    const stop = new AbortController();
    const ends = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const { graph, parameters } = message.body;
    const streams = [
      session.sendStream(graph, bytesSource(job.graph), ends),
      session.sendStream(parameters, bytesSource(job.parameters), ends),
    ];
    for (const stream of streams) stream.catch(() => undefined); // the reply tells what became of them
    try {
      return await this.#requests.askAgain(message, signal);
    } finally {
      stop.abort();
    }
  }

  /** RESUME, once in a session and before its first submission. */
  async #announce(session: Session): Promise<void> {
    if (this.#announced.has(session)) return;
    this.#announced.add(session);
    const last = this.#lastSession === undefined ? {} : { session: this.#lastSession };
    await session.send(resume, { ...last, acknowledged: [] });
  }

  /** A job by its id. */
  job(jobId: string): JobHandle {
    const { crypto, clock } = this.#modules;
    const [requests, link] = [this.#requests, this.#link];
    const download = <Result>(wanted: Wanted<Result>, signal: AbortSignal): Promise<Result> =>
      this.#download(wanted, { jobId, signal });
    const clone = (options: CloneOptions): Promise<JobHandle> => this.#clone(jobId, options);
    return new JobHandle(jobId, { requests, link, download, clone, identity: this.#identity, crypto, clock });
  }

  async #download<Result>(
    wanted: Wanted<Result>,
    { jobId, signal }: { readonly jobId: string; readonly signal: AbortSignal },
  ): Promise<Result> {
    const { clock, crypto } = this.#modules;
    const modules = { project: this.#project, requests: this.#requests, clock, crypto };
    const download = new BlobDownload(jobId, wanted, modules);
    this.#downloads.add(download);
    try {
      return await this.#link.persist((session) => download.over(session, signal), signal);
    } finally {
      this.#downloads.delete(download);
      download.stop();
    }
  }

  /** The jobs that the user may view, the newest first. @param most how many at most */
  async jobs({ most = MAX_JOBS, study, signal }: JobsOptions = {}): Promise<readonly ListedJob[]> {
    const all: ListedJob[] = [];
    for (let after: Pick<JobQuery, "after"> | undefined = {}; after !== undefined && all.length < most; ) {
      const ofStudy = study === undefined ? {} : { study };
      const query = { most: Math.min(MAX_LISTED, most - all.length), ...ofStudy, ...after };
      const reply = await this.#link.persist(() => this.#requests.ask(jobQuery, query, signal), signal);
      const { entries, next } = jobList.parse(reply);
      all.push(...entries);
      after = next === undefined || entries.length === 0 ? undefined : { after: next };
    }
    return all;
  }

  /** Settles, never rejects, when the session has ended and no work brings it back. */
  get ended(): Session["ended"] {
    return this.#link.ended();
  }

  /** Ends the session in order. Idempotent. */
  async close(): Promise<void> {
    await this.#link.close();
  }

  async #manifest({ payload }: SignedJob, bytes: SignedJob["graph"]): Promise<StreamManifest> {
    const { chunkBytes } = payload.definition;
    return await makeManifest(
      bytesSource(bytes),
      { totalBytes: bytes.byteLength, chunkBytes },
      this.#modules,
    );
  }

  #handler(): SessionHandler {
    const requests = this.#requests;
    const { logger = silentLogger } = this.#modules;
    return {
      onObject: (object, session) => this.#object(object, session),
      onBlobChunk: async (chunk) => {
        for (const { inbox } of this.#downloads) await inbox.chunk(chunk);
      },
      onRefused: (refusal) => requests.refused(refusal),
      routes: [
        on(resumed, ({ isResumed, streams }, _message, { id }) => {
          this.#lastSession = id;
          const chunks = streams.reduce((sum, stream) => sum + stream.chunks, 0);
          logger.debug("session taken up", { isResumed, chunks });
        }),
        on(jobSubmitted, (body, message) => requests.reply(body, message)),
        on(jobEnded, (body, message) => requests.reply(body, message)),
        on(observation, (body, message) => requests.reply(body, message)),
        on(resultModel, (body, message) => requests.reply(body, message)),
        on(jobGraph, (body, message) => requests.reply(body, message)),
        on(jobSource, (body, message) => requests.reply(body, message)),
        on(jobList, (body, message) => requests.reply(body, message)),
        on(inviteList, (body, message) => requests.reply(body, message)),
        on(requestList, (body, message) => requests.reply(body, message)),
        on(certificateList, (body, message) => requests.reply(body, message)),
        on(commandDone, (body, message) => requests.reply(body, message)),
        on(requestFailed, (body, { inReplyTo }) => requests.failed(body, inReplyTo)),
      ],
    };
  }

  async #object(object: VerifiedObject, { peer }: Session): Promise<void> {
    const { objectType, payload } = object;
    if (isSuspensionObject(object)) {
      await takeSuspension(object, this.#revocations);
      requireServerNotRevoked(peer, this.#revocations);
      return;
    }
    if (objectType !== OBJECT_TYPES.publication) {
      throw new MessageError("ERR_TYPE_UNKNOWN", "a user is sent publications only");
    }
    const publication = parsePublication(decode(payload, builtInRegistry()));
    for (const { inbox } of this.#downloads) inbox.published(publication);
  }
}
