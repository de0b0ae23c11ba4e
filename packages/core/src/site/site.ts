import { type Bytes, fromHex, toBase64Url, toHex } from "../bytes/index.ts";
import { builtInRegistry, type DecomposerRegistry } from "../decomposer/index.ts";
import type { ObjectReplayStore, VerifiedObject } from "../envelope/index.ts";
import { JobError } from "../errors/index.ts";
import { parseJobPayload } from "../job/index.ts";
import {
  blobRequest,
  contributionCommitted,
  contributionReceived,
  contributionRefused,
  type JobAbortOrder,
  jobDecline,
  jobEnded,
  jobGraph,
  type Publication,
  siteReady,
  task,
} from "../message/index.ts";
import { RevocationLists } from "../pki/index.ts";
import { sleep } from "../platform/index.ts";
import { PluginHost, participantFacts } from "../plugin/index.ts";
import {
  MAX_ACKNOWLEDGED,
  MAX_HELD_BLOBS,
  on,
  openSession,
  requireServerNotRevoked,
  resume,
  resumed,
  type Session,
  type SessionEnd,
  type SessionHandler,
  takeSuspension,
} from "../session/index.ts";
import { AuditExchange } from "./audit-exchange.ts";
import { backOffMs, type Ended, endedBy, isFinalRefusal, isPermanentRefusal, RECONNECT } from "./back-off.ts";
import { BlobInbox } from "./blob-inbox.ts";
import { cutReason, JobAdmission } from "./job-admission.ts";
import { DEFAULT_LIMITS, type SiteFacts, withinLimits } from "./job-limits.ts";
import { memoryParameters, type ParameterStore } from "./local/index.ts";
import type { OfferedJob, SiteLimits, SiteModules, SiteOptions } from "./options.ts";
import { OwnCertificate } from "./own-certificate.ts";
import { OwnDevices } from "./own-devices.ts";
import { ResourcePool, resourceRoutes } from "./resources/index.ts";
import { siteReplayStore } from "./seen-jobs.ts";
import { isWelcome } from "./server-veto.ts";
import { SessionTraffic } from "./session-traffic.ts";
import { SiteJob } from "./site-job.ts";
import type { SiteJobModules } from "./site-job-modules.ts";
import { takeSiteObject } from "./site-objects.ts";
import type { SiteStatus } from "./status.ts";
import { StatusBoard } from "./status-board.ts";
import { TasksSeen } from "./tasks-seen.ts";

/**
 * A site without sockets, disk or device: it keeps a session with the server, decides about jobs, and trains by the
 * trainers it is given. Data never come here; updates leave by `SiteJob` only.
 */
export class Site {
  readonly #options: SiteOptions;
  readonly #modules: SiteModules;
  readonly #registry: DecomposerRegistry = builtInRegistry();
  readonly #replay: ObjectReplayStore;
  readonly #revocations: RevocationLists;
  readonly #board = new StatusBoard();
  readonly #certificate: OwnCertificate;
  readonly #devices: OwnDevices;
  readonly #exchange: AuditExchange;
  readonly #inbox: BlobInbox;
  readonly #admission: JobAdmission;
  readonly #pool: ResourcePool;
  readonly #parameters: ParameterStore;
  readonly #plugins: PluginHost;
  readonly #jobs = new Map<string, SiteJob>();
  #session: Session | undefined;
  /** The session once this site has announced itself: only then do its jobs speak. */
  #announced: Session | undefined;
  /** Id of the last session that the server took up. */
  #lastSession: Bytes | undefined;
  readonly #tasks = new TasksSeen();
  readonly #traffic: SessionTraffic = new SessionTraffic(this.#board);
  /** Time over which the sites of the server spread when they lose it, as it told last, ms. */
  #returnMs = 0;
  #stop: AbortController | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: SiteOptions, modules: SiteModules) {
    this.#options = options;
    this.#modules = modules;
    const { clock, crypto } = modules;
    const { project, root } = options;
    // Jobs and publications that were handled stay handled, whatever session brings them again.
    this.#replay = siteReplayStore(modules.objects, { clock });
    this.#revocations = modules.revocations ?? new RevocationLists({ project, root }, { clock, crypto });
    this.#certificate = new OwnCertificate(options, modules);
    this.#parameters = modules.parameters ?? memoryParameters();
    this.#admission = new JobAdmission(options.identity.participant.org, modules);
    this.#plugins = modules.plugins ?? new PluginHost([], modules);
    const { concurrentJobs } = { ...DEFAULT_LIMITS, ...options.limits };
    this.#pool = new ResourcePool({ ...modules, source: modules.resources, concurrentJobs });
    this.#devices = new OwnDevices(root, modules);
    this.#exchange = new AuditExchange(modules);
    this.#inbox = new BlobInbox({
      ...{ project, clock, crypto },
      request: (jobId, root) =>
        this.#inBackground((session) => session.send(blobRequest, { jobId, root }, { scope: jobId })),
    });
  }

  /** Begins to connect, and connects again whenever the session ends, until {@link stop}. Idempotent. */
  start(): void {
    if (this.#stop !== undefined) return;
    this.#stop = new AbortController();
    this.#plugins.emit("started", {});
    this.#loop = this.#keepConnected(this.#stop.signal);
  }

  /** Ends every task, frees the trainers, tells the server. Idempotent; resolves when all is quiet. */
  async stop(): Promise<void> {
    this.#plugins.emit("stopped", {});
    this.#stop?.abort(new JobError("ERR_JOB_ABORTED", "the site stops"));
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    await Promise.all(jobs.map((job) => job.end()));
    await this.#session?.close("ERR_GOING_AWAY", "the site stops");
    await this.#loop;
  }

  /** What the site is doing now. */
  get status(): SiteStatus {
    return this.#board.status;
  }

  /** A join link's fragment for a further device, good for an hour: a secret. @throws WireError without a session, RequestError */
  inviteDevice(): Promise<string> {
    return this.#devices.invite();
  }

  /** Calls `listener` after each change of the status. @returns ends it */
  watch(listener: (status: SiteStatus) => void): () => void {
    return this.#board.watch(listener);
  }

  async #keepConnected(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const end = await this.#connectOnce(signal);
      if (signal.aborted) break;
      if (end.isByServer && isFinalRefusal(end.code)) {
        await this.#giveUp(end, signal);
        break;
      }
      failures = end.isSteady ? 1 : failures + 1;
      await this.#pause(failures, end, signal);
    }
    this.#board.update({ activity: "stopped", progress: 0, retryAtMs: undefined });
  }

  /**
   * The certificate was revoked: what is trained for is over, and no further attempt is made. The identity stays where
   * it is kept: to delete it is for people. Resolves when the site is stopped.
   */
  async #giveUp({ code, detail }: Ended, signal: AbortSignal): Promise<void> {
    const fault = { code, detail };
    this.#board.update({ activity: "refused", progress: 0, retryAtMs: undefined, fault });
    this.#modules.logger.error(
      "the certificate of this site was revoked; it does not connect again",
      undefined,
      fault,
    );
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    await Promise.all(jobs.map((job) => job.end()));
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }

  /** One session from connect to end. Never rejects. */
  async #connectOnce(signal: AbortSignal): Promise<Ended> {
    const { clock, logger } = this.#modules;
    const activity = this.#board.status.fault === undefined ? "connecting" : "reconnecting";
    this.#board.update({ activity, retryAtMs: undefined });
    const startedMs = clock.now();
    try {
      const session = await this.#open(signal);
      const { code, detail, local, retryAfterMs } = await this.#serve(session);
      this.#returnMs = session.returnMs;
      const { evidence } = session;
      // The server's signature over its messages: whoever keeps the log can show what it said.
      const signed = evidence === undefined ? {} : { checkpoint: toBase64Url(evidence) };
      logger.info("session ended", { code, detail, ...signed });
      return {
        code,
        detail,
        retryAfterMs,
        isSteady: clock.now() - startedMs >= RECONNECT.steadyMs,
        isByServer: !local,
      };
    } catch (error) {
      logger.warn("no session", { detail: String(error) });
      return endedBy(error);
    }
  }

  async #open(signal: AbortSignal): Promise<Session> {
    const { project, root, serverName } = this.#options;
    const identity = await this.#certificate.usable(signal);
    const { connector, clock, crypto, logger } = this.#modules;
    const revocations = this.#revocations;
    const modules = {
      clock,
      crypto,
      logger,
      registry: this.#registry,
      replayStore: () => this.#replay,
      signal,
    };
    const session = await openSession(
      (stop) => connector.connect(stop),
      {
        session: { identity, project, root, serverName, revocations },
        credentials: this.#modules.credentials,
      },
      modules,
    );
    this.#devices.opened(session, identity);
    this.#exchange.opened(identity);
    return session;
  }

  async #serve(session: Session): Promise<SessionEnd> {
    // Nobody is waited for without need: what the server says at once, such as its last word, is heard.
    if (this.#plugins.asks("login") && !(await isWelcome(session, this.#plugins))) return await session.ended;
    this.#plugins.emit("connected", { peer: participantFacts(session.peer) });
    this.#session = session;
    this.#inbox.renew();
    this.#board.update({ activity: "waiting", fault: undefined });
    session.receive(this.#handler());
    const onStop = (): void => {
      session.close("ERR_GOING_AWAY", "the site stops").catch(() => undefined); // it ended by itself
    };
    this.#stop?.signal.addEventListener("abort", onStop, { once: true });
    if (this.#stop?.signal.aborted === true) onStop();
    this.#inBackground(() => this.#announce(session));
    this.#certificate.attend(session).catch(() => undefined); // the session ended first
    const end = await session.ended;
    this.#plugins.emit("disconnected", { peer: participantFacts(session.peer), code: end.code });
    this.#stop?.signal.removeEventListener("abort", onStop);
    this.#session = undefined;
    this.#announced = undefined;
    this.#traffic.ended(session);
    return end;
  }

  async #announce(session: Session): Promise<void> {
    const { runtime, dataNames } = this.#options;
    const jobs = [...this.#jobs.entries()];
    const acknowledged = jobs.flatMap(([, job]) => job.acknowledged).slice(-MAX_ACKNOWLEDGED);
    const blobs = this.#inbox.held().slice(-MAX_HELD_BLOBS);
    await session.send(resume, {
      ...(this.#lastSession === undefined ? {} : { session: this.#lastSession }),
      acknowledged,
      ...(blobs.length === 0 ? {} : { blobs }),
    });
    await this.#exchange.begin(session);
    await session.send(siteReady, {
      runtime,
      dataNames,
      preparedJobs: jobs.filter(([, job]) => job.isPrepared).map(([jobId]) => jobId),
      heldUpdates: jobs.flatMap(([, { held }]) => (held === undefined ? [] : [held])),
    });
    this.#announced = session;
    for (const [, job] of jobs) await job.reannounce();
  }

  #handler(): SessionHandler {
    const answer =
      (receipt: "received" | "committed" | "refused") =>
      (body: { readonly jobId: string; readonly taskId: string; readonly code?: string }): void => {
        this.#jobs.get(body.jobId)?.answered(body.taskId, receipt, body.code ?? "");
        if (this.#session !== undefined) this.#traffic.count(this.#session);
      };
    const objects = {
      suspension: async (object: VerifiedObject) => {
        await takeSuspension(object, this.#revocations);
        if (this.#session !== undefined) requireServerNotRevoked(this.#session.peer, this.#revocations);
      },
      publication: (sent: Publication) => this.#inbox.published(withinLimits(this.#limits, sent)),
      job: (object: VerifiedObject, payload: unknown) => this.#job(object, payload),
      auditHead: (object: VerifiedObject) => this.#exchange.take(object),
      abort: async (object: VerifiedObject, order: JobAbortOrder) => {
        const submitter = this.#jobs.get(order.jobId)?.submitter;
        if (await this.#admission.orders.abort(object, order, submitter)) await this.#jobEnded(order.jobId);
      },
    };
    return {
      onObject: (object) => takeSiteObject(object, objects),
      onBlobChunk: (chunk) => this.#inbox.chunk(chunk),
      onRefused: (refusal) => this.#devices.refused(refusal),
      routes: [
        this.#certificate.route,
        this.#devices.route,
        ...resourceRoutes({
          ...{ pool: this.#pool, plugins: this.#plugins, site: this.#options.identity.participant.name },
          inBackground: (work) => this.#inBackground(work),
        }),
        this.#exchange.route,
        on(jobGraph, ({ jobId, graph }) => this.#jobs.get(jobId)?.graph(graph)),
        on(resumed, ({ isResumed, streams }, _message, { id }) => {
          this.#lastSession = id;
          this.#modules.logger.debug("session taken up", { isResumed, streams: streams.length });
        }),
        on(task, (body, { messageId, payloadDigest }) => {
          this.#tasks.require(messageId, payloadDigest);
          this.#jobs.get(body.jobId)?.task(body);
        }),
        on(contributionReceived, answer("received")),
        on(contributionCommitted, answer("committed")),
        on(contributionRefused, answer("refused")),
        on(jobEnded, ({ jobId }) => this.#jobEnded(jobId)),
      ],
    };
  }

  /** A job is offered: its signature and its submitter's certificate have been verified by the session. */
  async #job(object: VerifiedObject, value: unknown): Promise<void> {
    const { objectId, payloadDigest, signer: submitter, expiresAt } = object;
    const jobId = toHex(objectId);
    const known = this.#jobs.get(jobId);
    if (known !== undefined) {
      await known.reannounce();
      return;
    }
    const payload = parseJobPayload(value);
    const { definition, initialParameters } = payload;
    const modelBytes = initialParameters.byteLength;
    const proposal: OfferedJob = { jobId, digest: toHex(payloadDigest), definition, submitter, modelBytes };
    const reason = await this.#admission.refusalOf(proposal, payload, this.#facts);
    if (reason !== undefined) {
      await this.#session?.send(jobDecline, { jobId, reason: cutReason(reason) }, { scope: jobId });
      return;
    }
    // It has begun before anybody is asked, and is over with its end only: a crash in between neither loses nor doubles it.
    await this.#modules.objects?.begin({ objectId, digest: payloadDigest, expiresAt });
    const job = new SiteJob(proposal, payload, this.#jobModules());
    this.#jobs.set(jobId, job);
    this.#inBackground(() => job.decide()); // a person may take a while; the session goes on
  }

  get #facts(): SiteFacts {
    const { dataNames, identity, studies, jurisdiction } = this.#options;
    const { fault } = this.#exchange;
    const waitingJobs = [...this.#jobs.values()].filter((job) => job.isWaiting).length;
    const place = { site: identity.participant.name, studies, jurisdiction };
    return { ...place, limits: this.#limits, dataNames, waitingJobs, fault };
  }

  async #jobEnded(jobId: string): Promise<void> {
    const job = this.#jobs.get(jobId);
    this.#jobs.delete(jobId);
    try {
      await this.#modules.objects?.end(fromHex(jobId));
    } finally {
      await job?.end();
      this.#board.update({ activity: "waiting", progress: 0 });
    }
  }

  #jobModules(): SiteJobModules {
    const { clock, crypto, logger, createTrainer, decideJob } = this.#modules;
    const siteName = this.#options.identity.participant.name;
    return {
      ...{ siteName, clock, crypto, logger, createTrainer, decideJob, session: () => this.#announced },
      ...{ inbox: this.#inbox, board: this.#board, pool: this.#pool, plugins: this.#plugins },
      ...{ privacy: this.#admission.privacy, parameters: this.#parameters },
    };
  }

  async #pause(failures: number, { code, detail, retryAfterMs }: Ended, signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#modules;
    const pace = { retryAfterMs, returnMs: this.#returnMs };
    const waitMs = backOffMs(failures, code, { ...RECONNECT, ...this.#options.reconnect, ...pace, random });
    const activity = isPermanentRefusal(code) ? "refused" : "reconnecting";
    this.#board.update({ activity, progress: 0, retryAtMs: clock.now() + waitMs, fault: { code, detail } });
    logger.info("connecting again later", { code, waitMs });
    await sleep(clock, waitMs, signal).catch(() => undefined); // stopping ends the wait
  }

  get #limits(): SiteLimits {
    return { ...DEFAULT_LIMITS, ...this.#options.limits, ...this.#pool.settings?.limits };
  }

  #inBackground(work: (session: Session) => Promise<unknown>): void {
    const session = this.#session;
    if (session === undefined) return;
    work(session).catch((error: unknown) => {
      if (!session.signal.aborted) this.#modules.logger.error("a step of the site failed", error);
    });
  }
}
