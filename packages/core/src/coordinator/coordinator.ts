import { toHex } from "../bytes/index.ts";
import { MessageError, WireError } from "../errors/index.ts";
import type { JobRecord } from "../job/index.ts";
import { hasJobEnded, type JobState, type Observation, type SiteReady } from "../message/index.ts";
import type { Identity } from "../pki/index.ts";
import { localBus } from "../platform/index.ts";
import { participantFacts } from "../plugin/index.ts";
import type { ResumeBody, Session, SessionEnd, SessionHandler } from "../session/index.ts";
import type { Administration } from "./administration/administration.ts";
import { AuditExchange } from "./audit-exchange.ts";
import { signedSource } from "./clone-contents.ts";
import type { JobModules } from "./job-context.ts";
import { JobDeletions } from "./job-deletion.ts";
import { endedRecord, endOfFault, type JobStop } from "./job-end.ts";
import { loadEndedLog, loadJob } from "./job-loader.ts";
import { jobModules } from "./job-modules.ts";
import { isVisibleTo, type JobUser, requireJobRight, useJobRight } from "./job-rights.ts";
import type { JobRun } from "./job-run.ts";
import { summaryOf } from "./job-summary.ts";
import { listJobs } from "./list-jobs.ts";
import { connectedSite, hasLeft, type LiveSite, liveSite, type ResumedState } from "./live-site.ts";
import { LoginVeto } from "./login-veto.ts";
import type {
  ConnectedSite,
  CoordinatorModules,
  CoordinatorOptions,
  JobSummary,
  ObserveOptions,
} from "./options.ts";
import { type PublishedBlob, publishGraph } from "./publisher.ts";
import { loadResult } from "./result.ts";
import { ResumeRecords } from "./resume-records.ts";
import { RevocationDesk } from "./revocation.ts";
import { Scheduler } from "./scheduler.ts";
import { ANOTHER_DEVICE, ANOTHER_SESSION, type SessionFences, sessionFences } from "./session-fences.ts";
import { loginRecord, recordCheckpoint } from "./session-records.ts";
import { siteObjects } from "./site-objects.ts";
import { siteRoutes } from "./site-routes.ts";
import { refuseStray } from "./stray-result.ts";
import { unknownJob } from "./studies.ts";
import { Submissions } from "./submission.ts";
import { takeUpSession } from "./take-up-session.ts";
import { tellEnded } from "./tell-ended.ts";
import { TokenRevocations } from "./token-revocations.ts";
import { type UserDesk, userHandler } from "./user-routes.ts";
import { watchLog } from "./watch-log.ts";

const DEFAULT_JOBS = { running: 4, perSite: 4, waiting: 1000 } as const;
const DEFAULT_MODEL_BYTES = 2 ** 30;
const DEFAULT_OBSERVATION_BUFFER = 1024;

/**
 * The server's job and round logic, without sockets: sessions are handed to {@link admit}, everything else comes in
 * through the modules. FLARE: server, controller and job runner in one.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #modules: JobModules;
  readonly #records: ResumeRecords;
  readonly #tokens: TokenRevocations;
  readonly #fences: SessionFences;
  /** Of all sites. */
  readonly #siteHandler: SessionHandler;
  /** The one live session of each certificate, by digest of the leaf. */
  readonly #sessions = new Map<string, Session>();
  readonly #logins: LoginVeto;
  /** Connected sites by name. */
  readonly #sites = new Map<string, LiveSite>();
  readonly #scheduler: Scheduler;
  readonly #running = new Set<Promise<void>>();
  readonly #submissions: Submissions;
  readonly #deletions: JobDeletions;
  readonly #revocation: RevocationDesk | undefined;
  readonly #administration: Administration | undefined;
  #identity: Identity;
  #state: "new" | "started" | "stopped" = "new";

  constructor(options: CoordinatorOptions, modules: CoordinatorModules) {
    this.#options = options;
    const { clock, crypto, metadata, logger, bus = localBus(), administration } = modules;
    this.#records = new ResumeRecords({ metadata, clock });
    this.#tokens = new TokenRevocations({ metadata, clock });
    this.#fences = sessionFences(
      { bus, clock, crypto, logger },
      {
        ...{ sessions: this.#sessions, sites: this.#sites },
        supersede: (session, detail) => void this.#supersede(session, detail).catch(this.#logFault),
      },
    );
    this.#administration = administration;
    this.#identity = options.identity;
    const ownIdentity = (): Identity => this.#identity;
    this.#modules = jobModules({ ...options, ownIdentity }, modules, this.#records);
    this.#logins = new LoginVeto(this.#modules.plugins);
    this.#scheduler = this.#newScheduler(options);
    this.#siteHandler = {
      routes: siteRoutes(this.#siteDesk(), [...(administration?.siteRoutes ?? []), this.#scheduler.route]),
      onObject: siteObjects(new AuditExchange({ ...this.#modules, chain: modules.audit }), administration),
    };
    const { maximumModelBytes = DEFAULT_MODEL_BYTES } = options;
    const limits = { maximumModelBytes, requirePlace: () => this.#requirePlace() };
    this.#submissions = new Submissions(limits, this.#modules);
    this.#deletions = new JobDeletions(this.#modules);
    const { revocations } = modules;
    const desk = { clock, logger, audit: this.#modules.audit, sessions: () => this.sessions() };
    this.#revocation = revocations && new RevocationDesk(revocations, desk);
  }

  /** Takes up the jobs that were waiting or running when the last process ended. Idempotent. */
  async start(): Promise<void> {
    if (this.#state !== "new") return;
    this.#state = "started";
    await this.#modules.uploads.sweep();
    await this.#tokens.sweep();
    this.#fences.start();
    this.#revocation?.start();
    await this.#modules.jobs.keepOrder();
    for (const record of await this.#modules.jobs.list()) {
      if (!hasJobEnded(record.state)) await this.#takeUpJob(record);
    }
    this.#scheduler.schedule();
    await this.#deletions.start();
    this.#modules.plugins.emit("started", {});
  }

  /** Stops every job where it is, to go on after the next start, and ends every session in order. Idempotent. */
  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#modules.plugins.emit("stopped", {});
    this.#fences.stop();
    this.#revocation?.stop();
    this.#scheduler.stop();
    this.#deletions.stop();
    await Promise.all(this.#running);
    await this.#submissions.stop();
    await this.#modules.uploads.stop(); // half-done uploads go on in the next process
    const sessions = [...this.#sessions.values()];
    await Promise.all(sessions.map((session) => session.close("ERR_GOING_AWAY", "the server stops")));
    await Promise.all(sessions.map(({ ended }) => ended));
    await Promise.all(this.#running); // what is kept of their ends
  }

  /**
   * Takes over an authenticated session; what its peer may do follows from the role in its certificate. A certificate
   * has one live session: an older one is told `ERR_SUPERSEDED`.
   */
  async admit(session: Session): Promise<void> {
    const { peer } = session;
    if (this.#state !== "started") return await session.close("ERR_GOING_AWAY", "the server is not running");
    if (peer.role === "server") {
      return await session.close("ERR_FORBIDDEN", "servers do not connect here");
    }
    // [W-182]
    if (!this.#fences.mayAdmit) {
      await session.close("ERR_BUSY", "this gateway has lost touch with the others");
      return;
    }
    const refusal = this.#logins.isNeeded ? await this.#logins.refusalOf(session) : undefined;
    if (refusal !== undefined) return await session.close(refusal.code, refusal.detail);
    if (!this.isAdmitting) return await session.close("ERR_GOING_AWAY", "the server stops");
    const key = toHex(peer.leafDigest);
    const older = this.#sessions.get(key);
    this.#sessions.set(key, session);
    this.#fences.admitted(session);
    // Fenced before anything else: what it sent and nobody has begun with has no effect beside the newer one.
    const fenced = older && this.#supersede(older);
    await this.#modules.audit.record(loginRecord(session));
    session.whenEnded(this.#sessionEnded);
    if (peer.role === "site") session.receive(this.#siteHandler);
    else session.receive(userHandler(this.#userDesk(), session));
    this.#modules.plugins.emit("connected", { peer: participantFacts(peer) });
    this.#revocation?.welcome(session); // not after the older one: its peer may take its time to read the last word
    await fenced;
  }

  /** Signs by another certificate of this server from here on; what is out keeps the signature that it has. */
  renewIdentity(identity: Identity): void {
    this.#identity = identity;
  }

  /** The roster of the project has changed: jobs that wait may have other sites. */
  rosterChanged(): void {
    if (this.#state === "started") this.#scheduler.schedule();
  }

  /** True while sessions are admitted. */
  get isAdmitting(): boolean {
    return this.#state === "started" && this.#fences.mayAdmit;
  }

  /** A newer session of the certificate took over, here or at another gateway. */
  async #supersede(session: Session, detail = ANOTHER_SESSION): Promise<void> {
    this.#leave(session, false);
    await session.close("ERR_SUPERSEDED", detail);
  }

  async #ended(session: Session, end: SessionEnd): Promise<void> {
    this.#leave(session, hasLeft(this.#sites.get(session.peer.name), end));
    this.#modules.plugins.emit("disconnected", { peer: participantFacts(session.peer), code: end.code });
    if (end.local) await this.#tokens.ended(session.id, end.code);
    await recordCheckpoint(session, this.#modules.audit);
  }

  /**
   * The observation log of a job: a snapshot, then increments, until the job or the signal ends.
   * @throws JobError `ERR_JOB_UNKNOWN`, AuthorizationError `ERR_FORBIDDEN` at the first step
   */
  async *observe(jobId: string, options: ObserveOptions): AsyncGenerator<Observation, void, undefined> {
    const { by, study } = options;
    if (by !== undefined) await requireJobRight({ ...by, right: "view", jobId }, this.#userDesk());
    const { jobs, studies } = this.#modules;
    const job = await jobs.find(jobId);
    if (job === undefined || (study !== undefined && job.study !== study)) throw unknownJob(jobId);
    const log =
      this.#scheduler.find(jobId)?.board.log ??
      (await loadEndedLog(await jobs.get(jobId), this.#loading, this.#modules));
    if (log !== undefined) yield* watchLog({ job, actor: by?.actor }, log.observe(options), studies);
  }

  /** Every job, in order of submission; of somebody who looks on, those that the policy shows. */
  async jobs(by?: JobUser): Promise<readonly JobSummary[]> {
    const records = await this.#modules.jobs.list();
    const visible = by && records.filter((record) => isVisibleTo(by.actor, record, this.#modules));
    return (visible ?? records).map(summaryOf);
  }

  /** One job. @throws JobError `ERR_JOB_UNKNOWN` */
  async job(jobId: string): Promise<JobSummary> {
    return summaryOf(await this.#modules.jobs.get(jobId));
  }

  /** Resolves with the job's last state when it has ended. @throws JobError `ERR_JOB_UNKNOWN` */
  async waitForEnd(jobId: string, signal: AbortSignal): Promise<JobState> {
    for await (const _ of this.observe(jobId, { signal })) {
      // Reading on is waiting: the log ends with the job.
    }
    return (await this.#modules.jobs.get(jobId)).state;
  }

  /** Ends a job for good. @param by who wants it, to be decided about @throws JobError `ERR_JOB_UNKNOWN`, AuthorizationError */
  async abort(jobId: string, by?: JobUser): Promise<void> {
    if (by !== undefined) await useJobRight({ ...by, right: "abort", jobId }, this.#userDesk());
    await this.#abort(jobId, by === undefined ? {} : { by: by.actor.name });
  }

  /** The live session of each certificate. */
  sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  /** Sites that are connected, by name. */
  sites(): readonly ConnectedSite[] {
    return [...this.#sites.values()].map(connectedSite).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** A sealed blob that is out, for `GET /blobs/<root in hex>`: ciphertext only. */
  async blob(root: string): Promise<PublishedBlob["blob"] | undefined> {
    for (const run of this.#scheduler.runs()) {
      const published = await run.publishedBy(root);
      if (published !== undefined) return published.blob;
    }
    return undefined;
  }

  readonly #takeUp = (session: Session, body: ResumeBody | undefined): Promise<ResumedState> =>
    takeUpSession(session, body, { records: this.#records, tokens: this.#tokens, ...this.#modules });

  #siteDesk(): Parameters<typeof siteRoutes>[0] {
    return {
      now: () => this.#modules.clock.now(),
      takeUp: this.#takeUp,
      arrive: (session, body, state) => this.#arrive(session, body, state),
      siteOf: (session) => {
        const site = this.#sites.get(session.peer.name);
        return site?.session === session ? site : undefined;
      },
      takesPart: (jobId, site) => this.#scheduler.takesPart(jobId, site),
      released: (jobId, { name }) => this.#scheduler.released(jobId, name),
      runOf: (jobId, site) => this.#runOf(jobId, site),
      refuseResult: (site, body) => refuseStray(site, body, this.#modules),
    };
  }

  #userDesk(): UserDesk {
    const { jobs, clock, logger, audit, authorizer, studies, plugins } = this.#modules;
    return {
      submission: (session) => this.#submissions.of(session),
      takeUp: this.#takeUp,
      keptDigestOf: (urn, messageId) => this.#modules.uploads.digestOf(urn, messageId),
      queue: (record) => this.#enqueue(record),
      find: (jobId) => jobs.find(jobId),
      observe: (jobId, options) => this.observe(jobId, options),
      abort: (jobId, stop) => this.#abort(jobId, stop),
      delete: (jobId, request) => this.#deletions.delete(jobId, request),
      result: async (jobId, version) => loadResult(await jobs.get(jobId), version, this.#modules),
      graph: async (jobId) => publishGraph(await jobs.get(jobId), this.#modules),
      source: async (jobId) => signedSource(await jobs.get(jobId), this.#modules),
      list: (actor, query) => listJobs(actor, query, { jobs, authorizer, studies }),
      ...{ studies, logger, clock, audit, authorizer, plugins, userIdleMs: this.#options.userIdleMs },
      administration: this.#administration,
    };
  }

  async #arrive(session: Session, body: SiteReady, state: ResumedState): Promise<void> {
    const { name } = session.peer;
    // Whoever has a kit stands in the roster; what was invited is looked up once.
    const hasEnrolled = session.peer.chain.length > 1;
    const invitedTo = hasEnrolled ? await this.#modules.studies.invitedTo(name) : undefined;
    if (session.signal.aborted) return;
    const older = this.#sites.get(name);
    if (older?.session === session) {
      throw new MessageError("ERR_TYPE_UNKNOWN", "a site announces itself once in a session");
    }
    if (older !== undefined) this.#supersede(older.session, ANOTHER_DEVICE).catch(this.#logFault);
    const connectedAtMs = Math.trunc(this.#modules.clock.now());
    const site = liveSite({ session, announced: body, connectedAtMs, resumed: state, invitedTo });
    this.#sites.set(name, site);
    this.#fences.announced(session);
    this.#modules.metrics.gauge("photinus_sites_connected", this.#sites.size);
    await this.#scheduler.arrived(site);
    // Jobs that ended while the site was away: it stops working for them.
    const told = new Set([...body.preparedJobs, ...body.heldUpdates.map(({ jobId }) => jobId)]);
    for (const jobId of told) await this.#runOf(jobId, site);
  }

  async #runOf(jobId: string, site: LiveSite): Promise<JobRun | undefined> {
    const run = this.#scheduler.isWaiting(jobId) ? undefined : this.#scheduler.find(jobId);
    if (run !== undefined && this.#modules.studies.mayTakePart(run.definition, site)) return run;
    await tellEnded(jobId, site, this.#modules);
    return undefined;
  }

  readonly #sessionEnded = (end: SessionEnd, session: Session): void =>
    this.#track(this.#ended(session, end));

  #leave(session: Session, isGone: boolean): void {
    const key = toHex(session.peer.leafDigest);
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    const site = this.#sites.get(session.peer.name);
    if (site?.session !== session) return;
    this.#sites.delete(site.name);
    this.#modules.metrics.gauge("photinus_sites_connected", this.#sites.size);
    this.#scheduler.left(site, isGone);
  }

  /** @throws WireError `ERR_BUSY` */
  #requirePlace(): void {
    const { waitingJobs = DEFAULT_JOBS.waiting } = this.#options;
    if (this.#scheduler.waitingJobs < waitingJobs) return;
    throw new WireError("ERR_BUSY", `${waitingJobs} jobs wait for their turn already`);
  }

  async #enqueue(record: JobRecord): Promise<void> {
    await this.#takeUpJob(record);
    this.#scheduler.schedule();
  }

  async #takeUpJob(record: JobRecord): Promise<void> {
    const { jobs, logger } = this.#modules;
    try {
      this.#scheduler.add(await loadJob(record, this.#loading, this.#modules));
    } catch (error) {
      // What is stored of this job does not open: this job ends, the others go on.
      logger.error("a job could not be opened", error, { jobId: record.jobId });
      await jobs.update(record, endedRecord("failed", endOfFault(error, "waiting"), this.#modules));
    }
  }

  #newScheduler(options: CoordinatorOptions): Scheduler {
    const { concurrentJobs = DEFAULT_JOBS.running, jobsPerSite = DEFAULT_JOBS.perSite } = options;
    const { clock, slots, studies, plugins } = this.#modules;
    return new Scheduler(
      { concurrentJobs, jobsPerSite },
      {
        ...{ clock, plugins, studies, sites: () => this.#sites.values() },
        ...{ onIdle: () => slots.trim(), track: (work) => this.#track(work) },
        isLive: (site) => this.#sites.get(site.name) === site,
      },
    );
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(this.#logFault).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #abort(jobId: string, stop: JobStop): Promise<JobRecord> {
    if (this.#scheduler.abort(jobId, stop)) await this.waitForEnd(jobId, new AbortController().signal);
    return await this.#modules.jobs.get(jobId);
  }

  get #loading(): { readonly observationBuffer: number } {
    return { observationBuffer: this.#options.observationBuffer ?? DEFAULT_OBSERVATION_BUFFER };
  }

  readonly #logFault = (error: unknown): void => {
    this.#modules.logger.error("a fault beside any job", error);
  };
}
