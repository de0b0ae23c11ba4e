import type { AuditNote } from "../audit/index.ts";
import { toHex } from "../bytes/index.ts";
import type { VerifiedObject } from "../envelope/index.ts";
import { type ErrorCode, JobError, PluginError } from "../errors/index.ts";
import type { JobDefinition, JobRecord } from "../job/index.ts";
import {
  type ContributionBody,
  type EvaluationResult,
  type HeldUpdate,
  hasJobEnded,
  type JobEnd,
  type JobReady,
  jobEnded,
  jobGraph,
  type TaskFailed,
  type TaskProgress,
} from "../message/index.ts";
import { openJournal, runWorkflow } from "../workflow/index.ts";
import { ignoreLostSession, refuse } from "./answer-site.ts";
import type { Intake } from "./intake.ts";
import type { JobContext } from "./job-context.ts";
import { abortedBy, COMPLETED, endOfFault, type JobStop, reasonOf } from "./job-end.ts";
import { JobLife } from "./job-life.ts";
import type { LiveSite } from "./live-site.ts";
import { type MessageIdentity, refusalOf, requireSame } from "./message-identity.ts";
import { isSignedBy, type PublishedBlob, publishGraph } from "./publisher.ts";
import { Receipts } from "./receipts.ts";
import { Rounds } from "./rounds.ts";
import { sendPublished } from "./task-sender.ts";

/** What a site may say of why it failed; anything else is told as a failure and stands in the log. */
const FAILURES: ReadonlyMap<string, ErrorCode> = new Map([
  ["ERR_FILTER_REFUSED", "ERR_FILTER_REFUSED"],
  ["ERR_PRIVACY_BUDGET", "ERR_PRIVACY_BUDGET"],
  ["ERR_PLUGIN_REFUSED", "ERR_PLUGIN_REFUSED"],
]);

/** Why a run came to its end. */
export type RunEnd = "ended" | "stopped";

/** The end of a run that was asked for. */
class RunStop extends Error {
  /** How the job ends; `undefined`: the server stops, and the job goes on after the next start. */
  readonly end: JobEnd | undefined;

  constructor(end?: JobEnd) {
    super(end === undefined ? "the server stops" : "the job ends");
    this.end = end;
  }
}

/** One job while it waits for its sites or runs: its workflow, and what its sites say. */
export class JobRun {
  readonly #context: JobContext;
  readonly #stop: AbortController;
  readonly #receipts: Receipts;
  readonly #rounds: Rounds;
  readonly #life: JobLife;
  #graph: Promise<PublishedBlob> | undefined;
  /** Settles when it is known what earlier processes gave and committed. */
  readonly #restored: Promise<void>;
  #isRestored: () => void = () => undefined;

  /** @param stop the controller behind `context.signal` */
  constructor(record: JobRecord, context: JobContext, stop: AbortController) {
    this.#life = new JobLife(record, context);
    this.#context = context;
    this.#stop = stop;
    this.#restored = new Promise((resolve) => {
      this.#isRestored = resolve;
    });
    this.#receipts = new Receipts(context.jobId);
    this.#rounds = new Rounds(context, this.#receipts, {
      onStarted: () => this.#life.start(),
      onVersion: async (model) => {
        const old = await this.#life.keepVersion(model);
        if (old !== undefined) this.#rounds.dropLater(old.checkpoint);
      },
      onEvaluated: (model, evaluation) => this.#life.keepBest(model, evaluation),
      onFault: (error) => this.#end(error),
    });
  }

  /** The job as it is kept. */
  get record(): JobRecord {
    return this.#life.record;
  }

  /** What its submitter signed. */
  get definition(): JobDefinition {
    return this.#context.payload.definition;
  }

  /** What people watch. */
  get board(): JobContext["board"] {
    return this.#context.board;
  }

  /** The job is given to its sites from here on. Never rejects. @returns false when that could not be kept: it has ended */
  async dispatch(): Promise<boolean> {
    try {
      await this.#life.dispatch();
      return true;
    } catch (error) {
      await this.#ended(error);
      this.#isRestored();
      return false;
    }
  }

  /** Runs the workflow from where its journal ends. Never rejects; a fault ends this job only. */
  async run(): Promise<RunEnd> {
    try {
      return await this.#run();
    } finally {
      this.#isRestored();
      const isOver = hasJobEnded(this.record.state); // and that is kept
      await this.#rounds.close(isOver);
      if (isOver) await this.#dropUploads();
    }
  }

  async #dropUploads(): Promise<void> {
    const { modules, jobId } = this.#context;
    try {
      await modules.uploads.dropJob(jobId);
    } catch (error) {
      modules.logger.error("half-done uploads of the job stay on disk", error, { jobId });
    }
  }

  async #run(): Promise<RunEnd> {
    const { modules, jobId, payload } = this.#context;
    try {
      const workflow = modules.workflows.get(payload.definition.workflow.name);
      if (workflow === undefined)
        throw new JobError("ERR_WORKFLOW_UNKNOWN", "the workflow is not registered");
      const journal = openJournal(jobId, modules);
      this.#receipts.restore(await journal.load());
      this.#isRestored();
      const initialModel = { version: 0, checkpoint: this.record.initialModel };
      const job = { jobId, definition: payload.definition, initialModel };
      await runWorkflow(workflow, job, { effects: this.#rounds, journal });
      await this.#rounds.kept();
      return await this.finish(COMPLETED);
    } catch (error) {
      return await this.#ended(error);
    }
  }

  /** Ends the run; the job goes on after the next start of the server. */
  stop(): void {
    this.#end(new RunStop());
  }

  /** Ends the job, which is told by {@link run}. */
  abort(stop: JobStop): void {
    if (stop.order !== undefined) this.#relay(stop.order);
    this.#end(new RunStop(abortedBy(stop)));
  }

  /** A site with the job's data is connected: it is offered the job. */
  async offer(site: LiveSite): Promise<void> {
    const { sites, object, submitterChain, jobId, facts, modules } = this.#context;
    if (sites.find(site.name) === site) return;
    sites.add(site);
    if (modules.plugins.asks("deployment") && !(await this.#mayDeploy(site))) return;
    for (const held of site.heldUpdates) {
      if (held.jobId === jobId) await this.#rounds.held(site, held);
    }
    if (!site.preparedJobs.includes(jobId)) {
      await ignoreLostSession(site.session.sendObject(object, submitterChain));
      modules.plugins.emit("jobDeployed", { job: facts, site: site.name });
    }
  }

  /** Asks plug-ins. @returns false when one refused, which people see at the site, or the site has gone */
  async #mayDeploy(site: LiveSite): Promise<boolean> {
    const { sites, facts, modules, jobId: correlation, signal: over } = this.#context;
    const signal = AbortSignal.any([site.session.signal, over]);
    try {
      await modules.plugins.require("deployment", { job: facts, site: site.name }, { signal, correlation });
      return sites.find(site.name) === site;
    } catch (error) {
      if (error instanceof PluginError && sites.find(site.name) === site)
        sites.declined(site.name, error.code, error.message);
      else if (!signal.aborted) throw error;
      return false;
    }
  }

  /** Sends a user's order to the sites of the job, which see by its signature who gave it. Returns at once. */
  #relay({ bytes, signer }: VerifiedObject): void {
    const { sites, jobId, modules } = this.#context;
    for (const site of sites.all()) {
      ignoreLostSession(site.session.sendObject(bytes, signer.chain)).catch((error: unknown) =>
        modules.logger.error("an order was not relayed", error, { jobId, site: site.name }),
      );
    }
  }

  /** A site's session ended. @param isLeaving it said so, and is not waited for */
  siteLeft(site: LiveSite, isLeaving: boolean): void {
    if (this.#context.sites.remove(site)) this.#rounds.siteLost(site.name, isLeaving);
  }

  /** True when the site takes no part, in this session of it. */
  hasRefused(site: LiveSite): boolean {
    return this.#context.sites.hasRefused(site);
  }

  /** A site takes part: it gets the graph, unless it has it. */
  async accepted(site: LiveSite, terms: string): Promise<void> {
    const { sites, jobId } = this.#context;
    if (!sites.consented(site.name)) return;
    this.#tellDecision(site, { accepts: true, reason: "" });
    await this.#auditConsent(site, { outcome: "accepted", reason: "", details: { terms } });
    if (!site.preparedJobs.includes(jobId)) await this.#sendGraph(site);
  }

  async #sendGraph(site: LiveSite): Promise<void> {
    const { modules, jobId, signal } = this.#context;
    const graph = await this.#publishedGraph();
    modules.logger.debug("graph sent", { jobId, site: site.name });
    const body = { jobId, graph: graph.reference };
    const sent = site.session.send(jobGraph, body, { scope: jobId });
    await ignoreLostSession(sent);
    // The chunks take their time; the handler must not.
    ignoreLostSession(sendPublished(this.#context, site, { published: graph, signal })).catch(
      (error: unknown) => this.#end(error),
    );
  }

  /** A site does not take part. */
  async declined(site: LiveSite, reason: string): Promise<void> {
    this.#context.sites.declined(site.name, "ERR_JOB_DECLINED", reason);
    this.#context.modules.logger.info("site declined", { site: site.name, reason });
    this.#tellDecision(site, { accepts: false, reason });
    await this.#auditConsent(site, { outcome: "refused", reason: "ERR_JOB_DECLINED" });
  }

  #tellDecision(
    { name: site }: LiveSite,
    decision: { readonly accepts: boolean; readonly reason: string },
  ): void {
    const { modules, facts: job } = this.#context;
    modules.plugins.emit("jobDecided", { job, site, ...decision });
  }

  /** A site takes no part yet: it works for others, or lacks what the job needs. It says by itself when it does. */
  postponed(site: LiveSite, reason: string): void {
    this.#context.sites.declined(site.name, "ERR_SITE_BUSY", reason);
  }

  /** A site's trainer is prepared. */
  ready(site: LiveSite, body: JobReady): void {
    if (this.#context.sites.ready(site.name, body)) this.#rounds.siteReady(site);
  }

  /** A site tells how far it is. */
  progress(site: LiveSite, body: TaskProgress): void {
    this.#rounds.progress(site.name, body);
  }

  /** A site announced its update, perhaps again. @throws EnvelopeError `ERR_ENVELOPE_REPLAYED` */
  async contribution(site: LiveSite, body: ContributionBody, message: MessageIdentity): Promise<void> {
    requireSame(site.record.digestOf(message.messageId), message);
    await this.#restored;
    const { taskId } = body;
    const take = (intake: Intake): void => intake.contribution(site, body, message);
    const intake = this.#rounds.intakeOf(taskId);
    if (intake !== undefined) take(intake);
    else if (this.#receipts.isOut(taskId)) this.#rounds.takeLater(site, taskId, take);
    else if (!(await this.#refusedAgain(site, body, message))) await this.#tooLate(site, body);
  }

  /** A site measured the model. */
  async evaluation(site: LiveSite, body: EvaluationResult, message: MessageIdentity): Promise<void> {
    await this.#restored;
    const { taskId } = body;
    const take = (intake: Intake): Promise<void> => intake.evaluation(site, body, message);
    const intake = this.#rounds.intakeOf(taskId);
    if (intake !== undefined) await take(intake);
    else if (this.#receipts.isOut(taskId)) this.#rounds.takeLater(site, taskId, take);
    else await this.#tooLate(site, body);
  }

  /** A site cannot prepare the job, or cannot do its task. */
  taskFailed(site: LiveSite, { taskId, code, detail }: TaskFailed): void {
    this.#context.modules.logger.warn("site failed", { site: site.name, code, detail });
    if (taskId === undefined) this.#context.sites.declined(site.name, "ERR_TASK_FAILED");
    else this.#rounds.taskFailed(site.name, taskId, FAILURES.get(code) ?? "ERR_TASK_FAILED");
  }

  /** A site lacks a blob that it was told of. */
  async blobRequest(site: LiveSite, root: string): Promise<void> {
    if (!this.#context.sites.hasConsented(site.name)) return;
    const graph = await this.#graph;
    const published =
      graph !== undefined && toHex(graph.reference.root) === root ? graph : this.#rounds.publishedBy(root);
    if (published === undefined) return; // an old version: the next task names another
    ignoreLostSession(sendPublished(this.#context, site, { published, signal: this.#context.signal })).catch(
      (error: unknown) => this.#end(error),
    );
  }

  /** A blob that is out, for carriers beside the session. */
  async publishedBy(root: string): Promise<PublishedBlob | undefined> {
    const graph = await this.#graph;
    if (graph !== undefined && toHex(graph.reference.root) === root) return graph;
    return this.#rounds.publishedBy(root);
  }

  /** Tells a refusal again whose task is over. @returns false when there was none */
  async #refusedAgain(site: LiveSite, held: HeldUpdate, { messageId }: MessageIdentity): Promise<boolean> {
    const problem = refusalOf(site, messageId);
    if (problem !== undefined) await refuse(site, held, problem);
    return problem !== undefined;
  }

  async #tooLate(site: LiveSite, held: HeldUpdate): Promise<void> {
    if (await this.#receipts.send(site, held.taskId)) return; // it was counted: a copy after a reconnect
    const isKnown = this.#rounds.wasOut(held.taskId);
    const code = isKnown ? "ERR_CONTRIBUTION_LATE" : "ERR_TASK_UNKNOWN";
    const detail = isKnown ? "the round has ended" : "no such task is out";
    await refuse(site, held, { code, detail });
  }

  async #publishedGraph(): Promise<PublishedBlob> {
    const known = await this.#graph;
    if (known !== undefined && isSignedBy(known, this.#context.modules)) return known;
    this.#graph = publishGraph(this.record, this.#context.modules);
    return await this.#graph;
  }

  async #ended(error: unknown): Promise<RunEnd> {
    const { signal, modules, jobId } = this.#context;
    await this.#rounds.quiet();
    const cause: unknown = signal.aborted ? signal.reason : error;
    if (cause instanceof RunStop) return cause.end === undefined ? "stopped" : await this.finish(cause.end);
    modules.logger.error("the job failed", cause, { jobId });
    return await this.finish(endOfFault(cause, this.record.state));
  }

  /** Ends the job for good, whether it ran or not, and tells its sites. Never rejects. */
  async finish(end: JobEnd): Promise<RunEnd> {
    const { jobId, sites } = this.#context;
    const ending = this.#life.end(end);
    this.#end(new RunStop(end));
    if (!(await ending)) return "ended";
    const { state } = this.record;
    if (!hasJobEnded(state)) return "ended"; // it could not be kept: the next process takes it up again
    const body = { jobId, state, reason: reasonOf(end) };
    await Promise.all(
      sites.all().map(({ session }) => ignoreLostSession(session.send(jobEnded, body, { scope: jobId }))),
    );
    return "ended";
  }

  /** Ends what is under way; the first reason counts. */
  #end(reason: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(reason);
    this.#rounds.stop(reason);
  }

  async #auditConsent(
    site: LiveSite,
    note: Pick<AuditNote, "outcome" | "reason" | "details">,
  ): Promise<void> {
    const { modules, jobId } = this.#context;
    const { leafDigest, name } = site.session.peer;
    const actor = `${toHex(leafDigest)} ${name}`;
    await modules.audit.record({ actor, action: "consent", object: jobId, correlation: jobId, ...note });
  }
}
