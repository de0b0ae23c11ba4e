import type { Bytes } from "@photinus/core/bytes";
import { type LastingObjects, openLastingObjects } from "@photinus/core/envelope";
import { JobError, PkiError, WireError } from "@photinus/core/errors";
import { publicPrivacy } from "@photinus/core/filter";
import { RevocationLists } from "@photinus/core/pki";
import { PluginHost } from "@photinus/core/plugin";
import { type JobDecision, type JobProposal, Site, type SiteStatus } from "@photinus/core/site";
import { CONSENT_TEXT } from "../join/consent-text.ts";
import type {
  BrowserDevice,
  DeviceReport,
  Invitation,
  Proposal,
  SiteCalls,
  SiteDataFiles,
  SiteHandlers,
} from "../site-port/index.ts";
import { carryOn } from "./carried-status.ts";
import { CredentialDesk } from "./credential-desk.ts";
import {
  becomeMember,
  findMembership,
  knownName,
  type MemberIdentity,
  type Membership,
} from "./membership.ts";
import type { SiteHostModules } from "./modules.ts";

/** The site of this browser, as its page commands it: identity, data, agreement, life cycle. */
export class SiteHost {
  readonly #modules: SiteHostModules;
  readonly #abort: AbortController = new AbortController();
  readonly #questions: Map<string, Question> = new Map();
  readonly #credentials: CredentialDesk;
  #membership: Membership | undefined;
  #member: MemberIdentity | undefined;
  #data: SiteDataFiles | undefined;
  /** Jobs that this browser has seen. */
  #objects: LastingObjects | undefined;
  #device: BrowserDevice | "fastest" = "fastest";
  #site: Site | undefined;
  /** What the sites before a pause came to. */
  #before: SiteStatus | undefined;
  #status: SiteStatus | undefined;

  constructor(modules: SiteHostModules) {
    this.#modules = modules;
    this.#credentials = new CredentialDesk(modules);
  }

  /** The calls of the page. */
  get handlers(): SiteHandlers {
    return {
      open: ({ fragment }) => this.#open(fragment),
      check: ({ device }) => this.#check(device),
      useData: async (data) => {
        this.#data = data;
        return null;
      },
      join: () => this.#join(),
      decide: (answer) => this.#decide(answer),
      credential: async (answer) => this.#credentials.answer(answer),
      inviteDevice: () => this.#inviteDevice(),
      pause: () => this.#pause(),
      resume: () => this.#resume(),
      leave: () => this.#leave(),
    };
  }

  async #open(fragment: string): Promise<Invitation> {
    this.#membership = await findMembership(fragment, this.#modules);
    const { project, serverName } = this.#membership;
    return { project, serverName, siteName: await knownName(this.#membership, this.#modules) };
  }

  async #check(device: BrowserDevice | "fastest"): Promise<DeviceReport> {
    const report = await this.#modules.trainers.check(device);
    this.#device = report.chosen ?? device;
    return report;
  }

  /** @throws StorageError `ERR_SEEN_OBJECTS_CORRUPT`: then no job may be taken */
  async #join(): Promise<SiteCalls["join"]["reply"]> {
    const { store, clock, crypto } = this.#modules;
    const { project, rootFingerprint } = this.#opened;
    this.#member = await becomeMember(this.#opened, this.#modules, this.#abort.signal);
    const records = store.objects(project, rootFingerprint);
    this.#objects = await openLastingObjects({ records, clock, crypto });
    this.#start();
    return { siteName: this.#member.identity.participant.name };
  }

  #start(): void {
    const { connector, clock, crypto, logger, tell, store } = this.#modules;
    const { project, serverName, rootFingerprint } = this.#opened;
    const objects = this.#objects;
    if (this.#member === undefined || this.#data === undefined || objects === undefined) {
      throw new JobError("ERR_TASK_FAILED", "the site has no identity or no data");
    }
    const { identity, root } = this.#member;
    const data = this.#data;
    const site = new Site(
      {
        identity,
        project,
        root,
        serverName,
        dataNames: [data.dataName],
        runtime: "browser",
        // A page shows one task; a second one would train behind the person's back.
        limits: { concurrentJobs: 1 },
      },
      {
        connector,
        clock,
        crypto,
        logger,
        random: { bytes: (length) => crypto.randomBytes(length) },
        privacy: publicPrivacy(),
        createTrainer: () => this.#modules.trainers.start(data, this.#device),
        credentials: this.#credentials,
        decideJob: (job, signal) => this.#ask(job, signal),
        revocations: new RevocationLists(
          { project, root },
          { crypto, clock, store: store.revocations(project, rootFingerprint) },
        ),
        objects,
        plugins: new PluginHost(this.#modules.plugins ?? [], { clock, logger }),
        keepCertificate: (chain) => this.#keep(chain),
      },
    );
    site.watch((status) => {
      if (this.#site !== site) return;
      this.#status = carryOn(this.#before, status);
      tell({ kind: "status", status: this.#status });
    });
    this.#site = site;
    site.start();
  }

  /** The next certificate in place of the last, beside the same key. */
  async #keep(chain: readonly Bytes[]): Promise<void> {
    const { store, clock } = this.#modules;
    const { project, rootFingerprint } = this.#opened;
    const stored = await store.find(project, rootFingerprint);
    if (stored === undefined) throw new PkiError("ERR_REQUEST_UNKNOWN", "this browser has left the project");
    await store.save({ ...stored, chain, savedAtMs: clock.now() });
  }

  /** Asks the person, unless the same text was agreed to for this job before. */
  async #ask(job: JobProposal, signal: AbortSignal): Promise<JobDecision> {
    const consent = await this.#modules.store.findConsent(this.#opened.project, job.jobId);
    const isAgreed =
      consent?.textVersion === CONSENT_TEXT.version &&
      consent.digest === job.digest &&
      consent.submitter === job.submitter.name;
    if (isAgreed) return { agreedTo: consent.textVersion };
    const answer = new Promise<JobDecision>((resolve) => {
      this.#questions.set(job.jobId, { job, resolve });
      signal.addEventListener("abort", () => resolve({ declined: "the task ended first" }), { once: true });
    });
    this.#modules.tell({ kind: "proposal", proposal: describe(job) });
    return await answer.finally(() => this.#questions.delete(job.jobId));
  }

  async #decide({ jobId, accepts, textVersion }: SiteCalls["decide"]["request"]): Promise<null> {
    const question = this.#questions.get(jobId);
    if (question === undefined)
      throw new JobError("ERR_JOB_UNKNOWN", "this task no longer waits for an answer");
    if (accepts) {
      const { store, clock } = this.#modules;
      const { digest, submitter } = question.job;
      const agreed = { jobId, digest, submitter: submitter.name, textVersion, agreedAtMs: clock.now() };
      await store.saveConsent({ ...agreed, project: this.#opened.project });
    }
    question.resolve(accepts ? { agreedTo: textVersion } : { declined: "the participant declined" });
    return null;
  }

  async #inviteDevice(): Promise<SiteCalls["inviteDevice"]["reply"]> {
    if (this.#site === undefined) throw new WireError("ERR_CONNECTION_LOST", "this page is not connected");
    return { fragment: await this.#site.inviteDevice() };
  }

  async #pause(): Promise<null> {
    const site = this.#site;
    this.#site = undefined; // from here on its statuses are not told
    if (this.#status !== undefined) {
      this.#before = { ...this.#status, activity: "stopped", progress: 0, retryAtMs: undefined };
      this.#modules.tell({ kind: "status", status: this.#before });
    }
    await site?.stop();
    return null;
  }

  async #resume(): Promise<null> {
    if (this.#site === undefined) this.#start();
    return null;
  }

  async #leave(): Promise<null> {
    await this.#pause();
    await this.#modules.store.forget(this.#opened.project);
    this.#data = undefined;
    this.#member = undefined;
    this.#objects = undefined;
    return null;
  }

  get #opened(): Membership {
    if (this.#membership === undefined) throw new PkiError("ERR_INVITE_REFUSED", "the join link comes first");
    return this.#membership;
  }
}

/** A job that waits for the person's answer. */
interface Question {
  readonly job: JobProposal;
  readonly resolve: (decision: JobDecision) => void;
}

function describe({ jobId, definition, submitter, modelBytes }: JobProposal): Proposal {
  const { name, purpose, workflow, training } = definition;
  return {
    jobId,
    name,
    purpose,
    submitter: submitter.name,
    organization: submitter.org,
    rounds: workflow.rounds,
    localEpochs: training.localEpochs,
    batchSize: training.batchSize,
    modelBytes,
  };
}
