import { DEFAULT_PRIORITY, type DeploymentDefinition, type JobDefinition } from "../job/index.ts";

/** A job that has not been given to its sites, as it is compared with others. */
export interface WaitingJob {
  /** Id of the job. */
  readonly jobId: string;
  /** Milliseconds since 1970. */
  readonly submittedAtMs: number;
  /** What its submitter signed. */
  readonly definition: Pick<
    JobDefinition,
    "dataName" | "deployment" | "priority" | "residency" | "study" | "workflow"
  >;
  /** Not tried before this time: the sites said that they lack something. */
  readonly notBeforeMs: number;
}

/** A connected site. */
export interface SiteCapacity {
  /** Name in its certificate. */
  readonly name: string;
  /** Data sets that it has. */
  readonly dataNames: readonly string[];
  /** Jobs that it may still take. */
  readonly free: number;
  /** Study of the invite by which it joined. */
  readonly invitedTo?: string | undefined;
}

/** What stands in the way of a job, or what it may have. */
export type Standing =
  | { readonly kind: "fits"; readonly sites: readonly string[] }
  /** Enough sites are there, and too many of them work for others. */
  | { readonly kind: "busy"; readonly sites: readonly string[] }
  /** Too few are there, or a mandatory one is not. */
  | { readonly kind: "lacks"; readonly why: string };

/** Each of these that a job has waited counts like one step of priority: no job starves. */
const AGEING_MS = 60_000;

/** A job that has waited so long for sites that work for others has them kept free for it. */
const HOLD_AFTER_MS = 30_000;

/** The order in which jobs are tried: priority and waiting together, then the oldest first. */
export function inOrder<Job extends WaitingJob>(jobs: readonly Job[], nowMs: number): readonly Job[] {
  const rankOf = ({ definition, submittedAtMs }: WaitingJob): number =>
    (definition.priority ?? DEFAULT_PRIORITY) + Math.floor(Math.max(0, nowMs - submittedAtMs) / AGEING_MS);
  return [...jobs].sort(
    (a, b) => rankOf(b) - rankOf(a) || a.submittedAtMs - b.submittedAtMs || (a.jobId < b.jobId ? -1 : 1),
  );
}

/** How a job stands with the sites that are connected, without those that are kept free for others. */
function standingOf(
  { definition }: Pick<WaitingJob, "definition">,
  sites: readonly SiteCapacity[],
  { held, admits }: StandingOptions,
): Standing {
  const { dataName, deployment, workflow } = definition;
  const named = deployment?.sites && new Set(deployment.sites);
  const there = sites.filter(
    (site) =>
      site.dataNames.includes(dataName) &&
      (named === undefined || named.has(site.name)) &&
      admits(definition, site),
  );
  const { minimumSites } = workflow;
  const absent = absentOf(deployment, there);
  if (absent !== undefined) return { kind: "lacks", why: `the mandatory site ${absent} is not connected` };
  if (there.length < minimumSites) {
    return { kind: "lacks", why: `${there.length} of ${minimumSites} sites with the data are connected` };
  }
  const free = there.filter(({ name, free: left }) => left > 0 && !held.has(name));
  const fits = free.length >= minimumSites && absentOf(deployment, free) === undefined;
  return { kind: fits ? "fits" : "busy", sites: (fits ? free : there).map(({ name }) => name) };
}

interface StandingOptions {
  /** Sites that are kept free for others. */
  readonly held: ReadonlySet<string>;
  readonly admits: Admits;
}

/** True when a site may work for a job of this study and these places. */
export type Admits = (definition: WaitingJob["definition"], site: SiteCapacity) => boolean;

/** A mandatory site that is not among these; a job may name a thousand, and there may be ten times as many. */
function absentOf(
  { mandatorySites = [] }: DeploymentDefinition = {},
  sites: readonly SiteCapacity[],
): string | undefined {
  if (mandatorySites.length === 0) return undefined;
  const names = new Set(sites.map(({ name }) => name));
  return mandatorySites.find((name) => !names.has(name));
}

/** A job whose turn it is, and jobs that lack sites. */
export interface Choice<Job> {
  /** The first that fits, with the sites that it gets. */
  readonly next: { readonly job: Job; readonly sites: readonly string[] } | undefined;
  /** Those before it that lack sites, with what they lack. */
  readonly lacking: readonly { readonly job: Job; readonly why: string }[];
}

/** What a choice depends on beside jobs and sites. */
export interface ChoiceMoment<Job> {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** False for a job that cannot begin at the moment, whoever is free. Default: each may. */
  readonly mayBegin?: (job: Job) => boolean;
  /** Default: each site may work for each job that names it. */
  readonly admits?: Admits;
}

/** The next job, by the time and by who is connected alone: the same question has the same answer. */
export function chooseJob<Job extends WaitingJob>(
  jobs: readonly Job[],
  sites: readonly SiteCapacity[],
  { nowMs, mayBegin = () => true, admits = () => true }: ChoiceMoment<Job>,
): Choice<Job> {
  const lacking: { readonly job: Job; readonly why: string }[] = [];
  const held = new Set<string>();
  for (const job of inOrder(jobs, nowMs)) {
    if (job.notBeforeMs > nowMs) continue;
    const standing = standingOf(job, sites, { held, admits });
    if (standing.kind === "lacks") {
      lacking.push({ job, why: standing.why });
      continue;
    }
    if (standing.kind === "fits" && mayBegin(job)) return { next: { job, sites: standing.sites }, lacking };
    // Small jobs may go past a big one for a while, and no longer.
    if (nowMs - job.submittedAtMs >= HOLD_AFTER_MS) for (const name of standing.sites) held.add(name);
  }
  return { next: undefined, lacking };
}
