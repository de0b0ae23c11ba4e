import { builtInRegistry, decode } from "../decomposer/index.ts";
import { memoryReplayStore, type VerifiedObject } from "../envelope/index.ts";
import { MessageError } from "../errors/index.ts";
import { type JobBundle, type SignedJob, signJob } from "../job/index.ts";
import {
  certificateList,
  commandDone,
  inviteList,
  jobEnded,
  jobSubmit,
  jobSubmitted,
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
  requireServerNotRevoked,
  type Session,
  type SessionHandler,
  takeSuspension,
} from "../session/index.ts";
import { BlobInbox } from "../site/index.ts";
import { bytesSource, makeManifest, type StreamManifest } from "../stream/index.ts";
import { Administration } from "./administration.ts";
import { JobHandle } from "./job-handle.ts";
import type { ConsoleModules, ConsoleOptions, SubmitOptions } from "./options.ts";
import { Requests } from "./requests.ts";

/**
 * Connects as a user.
 *
 * @throws WireError, PkiError when no session comes about
 * @example
 * const federation = await connect({ identity, project, root, serverName }, { connector, clock, crypto });
 * const job = await federation.submit(bundle, { submitToken: "run-1" });
 * for await (const round of job.rounds()) console.log(round.number, round.metrics);
 * const { model } = await job.result();
 */
export async function connect(options: ConsoleOptions, modules: ConsoleModules): Promise<Federation> {
  const { connector, clock, crypto, logger = silentLogger } = modules;
  const replayStore = memoryReplayStore({ clock });
  const { signal } = new AbortController();
  const { project, root } = options;
  const revocations = options.revocations ?? new RevocationLists({ project, root }, { clock, crypto });
  const told = { ...options, revocations };
  const session = await openSession(
    (stop) => connector.connect(stop),
    { session: told, credentials: modules.credentials },
    { clock, crypto, logger, replayStore, signal },
  );
  return new Federation(session, told, modules);
}

/** What a {@link Federation} belongs to. */
export type FederationParts = Pick<ConsoleOptions, "identity" | "root"> & {
  /** What is known about revoked certificates. */
  readonly revocations: RevocationLists;
};

/** A federation as a user sees it, over one session. */
export class Federation {
  readonly #session: Session;
  readonly #identity: Identity;
  readonly #modules: ConsoleModules;
  readonly #requests: Requests;
  readonly #inbox: BlobInbox;
  readonly #revocations: RevocationLists;
  /** What administrators may do; the server refuses others. */
  readonly administration: Administration;

  /** @param session of the user, not receiving yet */
  constructor(session: Session, { identity, root, revocations }: FederationParts, modules: ConsoleModules) {
    this.#session = session;
    this.#identity = identity;
    this.#revocations = revocations;
    this.#modules = modules;
    const { crypto, clock } = modules;
    this.#requests = new Requests(session, crypto);
    const requests = this.#requests;
    this.administration = new Administration({ session, identity, root, requests, crypto, clock });
    const { project } = session.self;
    // The server sends a result once; a lost chunk shows as a result that does not come, and is asked for by a new call.
    this.#inbox = new BlobInbox({ project, clock, crypto, request: () => undefined });
    session.receive(this.#handler());
  }

  /**
   * Signs a job and hands it in; resolves when it is durable at the server.
   * @throws JobError `ERR_JOB_INVALID`; RequestError with the server's code
   */
  async submit(bundle: JobBundle, { submitToken, signal }: SubmitOptions = {}): Promise<JobHandle> {
    const { crypto, clock } = this.#modules;
    const job = await signJob(bundle, { identity: this.#identity, crypto, clock });
    const graph = await this.#manifest(job, job.graph);
    const parameters = await this.#manifest(job, job.parameters);
    await this.#session.sendObject(job.object, this.#identity.participant.chain);
    const stop = new AbortController();
    const ends = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const streams = [
      this.#session.sendStream(graph, bytesSource(job.graph), ends),
      this.#session.sendStream(parameters, bytesSource(job.parameters), ends),
    ];
    for (const stream of streams) stream.catch(() => undefined); // the reply tells what became of them
    try {
      const token = submitToken === undefined ? {} : { submitToken };
      const body = { jobId: job.jobId, graph, parameters, ...token };
      const reply = jobSubmitted.parse(await this.#requests.ask(jobSubmit, body, signal));
      return this.job(reply.jobId);
    } finally {
      stop.abort();
    }
  }

  /** A job by its id. */
  job(jobId: string): JobHandle {
    return new JobHandle(jobId, this.#requests, this.#inbox);
  }

  /** Settles, never rejects, when the session has ended. */
  get ended(): Session["ended"] {
    return this.#session.ended;
  }

  /** Ends the session in order. Idempotent. */
  async close(): Promise<void> {
    await this.#session.close("ERR_GOING_AWAY", "done");
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
    return {
      onObject: (object) => this.#object(object),
      onBlobChunk: (chunk) => this.#inbox.chunk(chunk),
      onRefused: (refusal) => requests.refused(refusal),
      routes: [
        on(jobSubmitted, (body, message) => requests.reply(body, message)),
        on(jobEnded, (body, message) => requests.reply(body, message)),
        on(observation, (body, message) => requests.reply(body, message)),
        on(resultModel, (body, message) => requests.reply(body, message)),
        on(inviteList, (body, message) => requests.reply(body, message)),
        on(requestList, (body, message) => requests.reply(body, message)),
        on(certificateList, (body, message) => requests.reply(body, message)),
        on(commandDone, (body, message) => requests.reply(body, message)),
        on(requestFailed, (body, { inReplyTo }) => requests.failed(body, inReplyTo)),
      ],
    };
  }

  async #object(object: VerifiedObject): Promise<void> {
    const { objectType, payload } = object;
    if (isSuspensionObject(object)) {
      await takeSuspension(object, this.#revocations);
      requireServerNotRevoked(this.#session.peer, this.#revocations);
      return;
    }
    if (objectType !== OBJECT_TYPES.publication) {
      throw new MessageError("ERR_TYPE_UNKNOWN", "a user is sent publications only");
    }
    this.#inbox.published(parsePublication(decode(payload, builtInRegistry())));
  }
}
