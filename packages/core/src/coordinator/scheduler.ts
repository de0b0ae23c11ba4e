import { hasJobEnded, type JobEnd } from "../message/index.ts";
import type { Clock, Timer } from "../platform/index.ts";
import type { PluginHost } from "../plugin/index.ts";
import type { MessageRoute } from "../session/index.ts";
import { type Admits, chooseJob, type SiteCapacity, type WaitingJob } from "./choose-job.ts";
import { abortedBy, cannotSchedule, type JobStop } from "./job-end.ts";
import type { JobRun } from "./job-run.ts";
import type { LiveSite } from "./live-site.ts";
import { ResourceChecks } from "./resource-checks.ts";
import type { Studies } from "./studies.ts";

/** A job that has its sites and not begun after so long does not keep others from beginning. */
const BEGINS_WITHIN_MS = 30_000;

/** First wait of a job whose sites lack what it needs; each further one is twice as long. */
const FIRST_BACK_OFF_MS = 10_000;
const LONGEST_BACK_OFF_MS = 600_000;
/** So often its sites are asked, and no more. */
const MAX_CHECKS = 10;

/** How much at once. */
export interface SchedulerLimits {
  /** Jobs that run at once. */
  readonly concurrentJobs: number;
  /** Jobs that one site is given at once. */
  readonly jobsPerSite: number;
}

/** What a {@link Scheduler} works with. */
export interface SchedulerModules {
  readonly clock: Clock;
  readonly plugins: PluginHost;
  /** The connected sites. */
  readonly sites: () => Iterable<LiveSite>;
  /** False when the site's session has ended, or a newer one has come. */
  readonly isLive: (site: LiveSite) => boolean;
  /** Who may work for whom. */
  readonly studies: Pick<Studies, "admits" | "mayTakePart">;
  /** Called when no job is left. */
  readonly onIdle: () => void;
  /** Waits for what goes on beside messages. */
  readonly track: (work: Promise<void>) => void;
}

interface Waiting extends WaitingJob {
  readonly run: JobRun;
  /** How often its sites lacked what it needs. */
  checks: number;
  /** Runs while the job lacks sites. */
  lacks: { readonly timer: Timer; isOver: boolean } | undefined;
  notBeforeMs: number;
}

/** A job that has its sites. */
interface Active {
  readonly run: JobRun;
  /** Those that it was given; each has it in work, or is about to. */
  readonly sites: Set<string>;
  readonly sinceMs: number;
  readonly timer: Timer;
}

/**
 * Which job is given to which sites, and when: FLARE's job scheduler. It is asked whenever something changes, and decides by
 * the clock and by who is connected alone. All jobs live in this process; one that waits is no more than its record.
 */
export class Scheduler {
  readonly #limits: SchedulerLimits;
  readonly #modules: SchedulerModules;
  readonly #waiting = new Map<string, Waiting>();
  readonly #active = new Map<string, Active>();
  /** Those that have ended without being given to sites, until that is kept. */
  readonly #ending = new Map<string, JobRun>();
  readonly #checks: ResourceChecks;
  /** The one job whose sites are asked at the moment: their places are kept for it. */
  #checked: { readonly jobId: string; readonly sites: ReadonlySet<string> } | undefined;
  /** Jobs that are tried again later. */
  readonly #later = new Set<Timer>();
  #isStopped = false;

  constructor(limits: SchedulerLimits, modules: SchedulerModules) {
    this.#limits = limits;
    this.#modules = modules;
    this.#checks = new ResourceChecks(modules.clock, modules.plugins);
  }

  /** What sites answer about their resources. */
  get route(): MessageRoute {
    return this.#checks.route;
  }

  /** Takes a job up: one that has begun goes on at once, the others wait for their turn. */
  add(run: JobRun): void {
    const { jobId, submittedAtMs, state } = run.record;
    if (hasJobEnded(state)) return;
    if (state === "waiting") {
      const { definition } = run;
      this.#waiting.set(jobId, {
        jobId,
        submittedAtMs,
        definition,
        run,
        lacks: undefined,
        checks: 0,
        notBeforeMs: 0,
      });
    } else {
      this.#begin(run, []);
    }
  }

  /** The job's run, waiting or not; `undefined` when it has ended or was never there. */
  find(jobId: string): JobRun | undefined {
    return this.#active.get(jobId)?.run ?? this.#waiting.get(jobId)?.run ?? this.#ending.get(jobId);
  }

  /** True for a job that has not been given to sites. */
  isWaiting(jobId: string): boolean {
    return this.#waiting.has(jobId) || this.#ending.has(jobId);
  }

  /** Jobs that have been given to sites. */
  runs(): readonly JobRun[] {
    return [...this.#active.values()].map(({ run }) => run);
  }

  /** Jobs that wait for their turn. */
  get waitingJobs(): number {
    return this.#waiting.size;
  }

  /** A site is there: it gets what it had, and what it may have beside that. */
  async arrived(site: LiveSite): Promise<void> {
    const had = [...this.#active.values()].filter(
      ({ run, sites }) => sites.has(site.name) || site.preparedJobs.includes(run.record.jobId),
    );
    for (const active of had) if (this.#suits(active.run, site)) await this.#offer(active, site);
    if (this.#waiting.size > 0) this.schedule();
    else if (!this.#isStopped && this.#modules.isLive(site)) this.#spread([site]);
  }

  /** A site's session ended: it may come back to its jobs. */
  left(site: LiveSite, isGone: boolean): void {
    for (const { run, sites } of this.#active.values()) {
      run.siteLeft(site, isGone);
      if (isGone) sites.delete(site.name);
    }
    if (this.#waiting.size > 0) this.schedule(); // its places were its own
  }

  /** A site says that it takes part: it is given the job when it was not, or not in this process. */
  async takesPart(jobId: string, site: LiveSite): Promise<void> {
    const active = this.#active.get(jobId);
    if (active !== undefined && this.#suits(active.run, site)) await this.#offer(active, site);
  }

  /** A site takes no part in a job, or can no longer: others may have its place. */
  released(jobId: string, site: string): void {
    if (this.#active.get(jobId)?.sites.delete(site) === true) this.schedule();
  }

  /** Ends a job for good; its log ends when that is kept. @returns false when there is none that could end */
  abort(jobId: string, stop: JobStop): boolean {
    const waiting = this.#waiting.get(jobId);
    if (waiting !== undefined) {
      this.#finish(waiting, abortedBy(stop));
      this.schedule(); // others may have the sites that were kept free for it
    }
    this.#active.get(jobId)?.run.abort(stop);
    return this.find(jobId) !== undefined;
  }

  /** Lets every job stop where it is. */
  stop(): void {
    this.#isStopped = true;
    this.#checks.stop();
    for (const waiting of this.#waiting.values()) waiting.lacks?.timer.cancel();
    for (const timer of this.#later) timer.cancel();
    for (const { run, timer } of this.#active.values()) {
      timer.cancel();
      run.stop();
    }
  }

  /** Something has changed: gives jobs to sites as long as one fits. */
  schedule(): void {
    if (this.#isStopped) return;
    while (this.#waiting.size > 0) {
      const { studies } = this.#modules;
      const admits: Admits = (definition, site) => studies.admits(definition, site);
      const when = { nowMs: this.#now(), mayBegin: (job: Waiting) => this.#mayBegin(job), admits };
      const { next, lacking } = chooseJob(this.#choosable(), this.#capacities(), when);
      this.#note(lacking, next === undefined);
      if (next === undefined || !this.#hasPlace()) break;
      const { job, sites } = next;
      if (this.#checks.isNeeded(job, sites)) {
        this.#checked = { jobId: job.jobId, sites: new Set(sites) };
        this.#modules.track(this.#check(job, this.#checked.sites));
      } else {
        this.#forget(job);
        this.#begin(job.run, sites);
      }
    }
    this.#spread(this.#modules.sites());
  }

  /** Those that wait, but for the one whose sites are asked at the moment. */
  #choosable(): readonly Waiting[] {
    return [...this.#waiting.values()].filter(({ jobId }) => jobId !== this.#checked?.jobId);
  }

  /** While the sites of one job are asked, no other one's are. */
  #mayBegin({ definition }: Waiting): boolean {
    return this.#checked === undefined || definition.deployment?.resources === undefined;
  }

  /** Asks the sites whether they have what the job needs; it begins when enough have, and else tries again later. */
  async #check(job: Waiting, names: ReadonlySet<string>): Promise<void> {
    const sites = [...this.#modules.sites()].filter(({ name }) => names.has(name));
    const { willing: all, lacks, cancel } = await this.#checks.ask(job, sites);
    this.#checked = undefined;
    const present = new Set([...this.#modules.sites()].map(({ name }) => name));
    const willing = all.filter((name) => present.has(name)); // who has left meanwhile takes no part
    const isWanted = !this.#isStopped && this.#waiting.has(job.jobId);
    const { workflow, deployment } = job.definition;
    const hasMandatory = (deployment?.mandatorySites ?? []).every((name) => willing.includes(name));
    if (isWanted && willing.length >= workflow.minimumSites && hasMandatory) {
      this.#forget(job);
      this.#begin(job.run, willing);
    } else {
      cancel();
      if (isWanted) this.#backOff(job, lacks);
    }
    this.schedule();
  }

  #backOff(job: Waiting, lacks: ReadonlyMap<string, string>): void {
    job.checks += 1;
    if (job.checks >= MAX_CHECKS) {
      const [[site, what] = ["", ""]] = lacks;
      this.#giveUp(
        job,
        `asked ${MAX_CHECKS} times, ${lacks.size} sites lack what the job needs (${site}: ${what})`,
      );
      return;
    }
    const waitMs = Math.min(FIRST_BACK_OFF_MS * 2 ** (job.checks - 1), LONGEST_BACK_OFF_MS);
    job.notBeforeMs = this.#now() + waitMs;
    const timer = this.#modules.clock.after(waitMs, () => {
      this.#later.delete(timer);
      this.schedule();
    });
    this.#later.add(timer);
  }

  #begin(run: JobRun, names: readonly string[]): void {
    const { jobId } = run.record;
    const { clock, track } = this.#modules;
    const timer = clock.after(BEGINS_WITHIN_MS, () => this.schedule());
    this.#active.set(jobId, { run, sites: new Set(names), sinceMs: this.#now(), timer });
    track(this.#follow(jobId, run));
  }

  async #follow(jobId: string, run: JobRun): Promise<void> {
    const isKept = await run.dispatch();
    const active = this.#active.get(jobId);
    if (active !== undefined && !this.#isStopped && isKept) {
      const sites = [...this.#modules.sites()].filter(({ name }) => active.sites.has(name));
      await Promise.all(sites.map((site) => this.#offer(active, site))); // a plug-in may take its time for each
      await run.run();
    }
    active?.timer.cancel();
    this.#active.delete(jobId);
    if (this.#active.size === 0) this.#modules.onIdle();
    this.schedule();
  }

  async #offer({ run, sites }: Active, site: LiveSite): Promise<void> {
    // Over a line that stalls an offer lasts until the session ends: a newer one may have come before the next offer.
    if (!this.#modules.isLive(site)) return;
    sites.add(site.name);
    await run.offer(site);
  }

  /** Sites that have places which no waiting job can use take part in jobs that run. */
  #spread(sites: Iterable<LiveSite>): void {
    if (this.#active.size === 0) return;
    for (const site of sites) {
      let free = this.#freeAt(site.name);
      for (const active of this.#active.values()) {
        if (free <= 0) break;
        if (active.sites.has(site.name) || !this.#suits(active.run, site) || active.run.hasRefused(site))
          continue;
        free -= 1;
        active.sites.add(site.name);
        this.#modules.track(this.#offer(active, site));
      }
    }
  }

  /** One more may begin: those that have their sites and do not begin keep nobody waiting. */
  #hasPlace(): boolean {
    const now = this.#now();
    const atWork = [...this.#active.values()].filter(
      ({ run, sinceMs }) => run.record.state === "running" || now - sinceMs < BEGINS_WITHIN_MS,
    );
    const checked = this.#checked === undefined ? 0 : 1;
    return atWork.length + checked < this.#limits.concurrentJobs;
  }

  #capacities(): readonly SiteCapacity[] {
    return [...this.#modules.sites()].map(({ name, dataNames, invitedTo }) => ({
      name,
      dataNames,
      invitedTo,
      free: this.#freeAt(name),
    }));
  }

  /** Jobs that a site may still be given. */
  #freeAt(site: string): number {
    let free = this.#limits.jobsPerSite - (this.#checked?.sites.has(site) ? 1 : 0);
    for (const { sites } of this.#active.values()) if (sites.has(site)) free -= 1;
    return free;
  }

  /** Jobs that lack sites wait for them as long as they say. @param areAll none of the others lacks any */
  #note(lacking: readonly { readonly job: Waiting; readonly why: string }[], areAll: boolean): void {
    for (const { job, why } of lacking) {
      const { waitForSitesMs } = job.definition.workflow;
      if (job.lacks?.isOver === true) this.#giveUp(job, `${why} after ${waitForSitesMs} ms`);
      else if (job.lacks === undefined) {
        const timer = this.#modules.clock.after(waitForSitesMs, () => {
          lacks.isOver = true;
          this.schedule();
        });
        const lacks = { timer, isOver: false };
        job.lacks = lacks;
      }
    }
    if (!areAll) return;
    const lackingNow = new Set(lacking.map(({ job }) => job));
    for (const job of this.#waiting.values()) {
      if (lackingNow.has(job)) continue;
      job.lacks?.timer.cancel();
      job.lacks = undefined;
    }
  }

  #giveUp(job: Waiting, why: string): void {
    this.#finish(job, cannotSchedule(why));
  }

  /** Ends a job that waits; it can be watched until that is kept. */
  #finish(job: Waiting, end: JobEnd): void {
    const { jobId, run } = job;
    this.#forget(job);
    this.#ending.set(jobId, run);
    this.#modules.track(run.finish(end).then(() => void this.#ending.delete(jobId)));
  }

  #forget(job: Waiting): void {
    job.lacks?.timer.cancel();
    this.#waiting.delete(job.jobId);
  }

  /** True when the job may be given to the site at all. */
  #suits({ definition }: JobRun, site: LiveSite): boolean {
    return (
      site.dataNames.includes(definition.dataName) && this.#modules.studies.mayTakePart(definition, site)
    );
  }

  #now(): number {
    return Math.trunc(this.#modules.clock.now());
  }
}
