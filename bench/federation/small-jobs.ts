import type { JobHandle } from "@photinus/core/console";
import type { JobBundle } from "@photinus/core/job";
import type { Metric } from "../benchmark.ts";
import { distributionOf } from "../paired.ts";
import { jobOf, SMALL } from "./model.ts";
import { type BenchFederation, startFederation } from "./start.ts";
import type { Usage } from "./usage.ts";

const SITES = 20;
/** Jobs at once. */
const JOBS = 100;
/** Sites that each of them takes. */
const SITES_PER_JOB = 4;
const ROUNDS = 3;
/** Jobs one after the other, of which the first ones do not count. */
const SINGLE = 25;
const WARM_UP = 5;
/** Longest time from a submission to its first task at a site, and from the last result to the end, ms. */
const TARGET_MS = 100;
/** Submissions of one session that are under way at once. */
const AT_ONCE = 3;

/**
 * Small jobs over 20 sites in one process, a server in another one, sockets and durable storage: one after the other for how
 * long a job takes to begin and to end, then 100 at once for whether each gets its turn.
 */
export async function smallJobs(
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<Readonly<Record<string, Metric>>> {
  const federation = await startFederation({ sites: [SITES], gated: false, jobs: JOBS });
  try {
    log(`${SINGLE} jobs one after the other`);
    const single = await oneByOne(federation, signal);
    log(`${JOBS} jobs of ${SITES_PER_JOB} of ${SITES} sites at once`);
    return { ...single, ...(await allAtOnce(federation, signal)) };
  } finally {
    await federation.stop();
  }
}

async function oneByOne(
  federation: BenchFederation,
  signal: AbortSignal,
): Promise<Readonly<Record<string, Metric>>> {
  const begins: number[] = [];
  const ends: number[] = [];
  const marks = watchSites(federation);
  for (let count = 0; count < SINGLE; count++) {
    signal.throwIfAborted();
    marks.first = undefined;
    const startMs = performance.now();
    const job = await federation.user.submit(aJob(count));
    await job.ended(signal);
    const endMs = performance.now();
    if (marks.first === undefined || marks.last === undefined) throw new Error("no site was given a task");
    if (count < WARM_UP) continue;
    begins.push(marks.first - startMs);
    ends.push(endMs - marks.last);
  }
  return { submitToFirstTaskMs: within(begins), lastResultToFinishedMs: within(ends) };
}

async function allAtOnce(
  federation: BenchFederation,
  signal: AbortSignal,
): Promise<Readonly<Record<string, Metric>>> {
  const { cpuMs: beforeMs } = await federation.server.ask<Usage>("usage");
  const startMs = performance.now();
  const times: number[] = [];
  const ends: Promise<void>[] = [];
  const follow = async (job: JobHandle, sinceMs: number): Promise<void> => {
    const view = await job.ended(signal);
    if (view?.state !== "finished") throw new Error(`a job is ${view?.state}: ${view?.end?.detail}`);
    times.push(performance.now() - sinceMs);
  };
  let next = 0;
  const handIn = async (): Promise<void> => {
    while (next < JOBS) {
      const number = next;
      next += 1;
      const sinceMs = performance.now();
      ends.push(follow(await federation.user.submit(aJob(number)), sinceMs));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, handIn));
  await Promise.all(ends);
  const wallMs = performance.now() - startMs;
  const { cpuMs } = await federation.server.ask<Usage>("usage");
  const { median } = distributionOf(times);
  return {
    jobsFinished: { value: times.length, unit: "jobs", reference: JOBS, ratio: times.length / JOBS },
    allJobsMs: { value: wallMs, unit: "ms" },
    longestJobOverMedian: { value: Math.max(...times) / median, unit: "x" },
    serverCpuPerJobMs: { value: (cpuMs - beforeMs) / JOBS, unit: "ms" },
  };
}

/** A job of the next few sites in turn. */
function aJob(number: number): JobBundle {
  const bundle = jobOf(SMALL, { rounds: ROUNDS, sites: SITES_PER_JOB });
  const sites = Array.from({ length: SITES_PER_JOB }, (_, at) => `site-${1 + ((number + at) % SITES)}`);
  return { ...bundle, definition: { ...bundle.definition, deployment: { sites } } };
}

/** When the first task reached a site since it was last forgotten, and when a site gave its last answer. */
function watchSites({ sites }: BenchFederation): { first: number | undefined; last: number | undefined } {
  const marks: { first: number | undefined; last: number | undefined } = {
    first: undefined,
    last: undefined,
  };
  for (const child of sites) {
    child.on("evaluating", () => {
      const now = performance.now();
      marks.first ??= now;
      marks.last = now;
    });
  }
  return marks;
}

function within(times: readonly number[]): Metric {
  const { median, spread } = distributionOf(times);
  return { value: median, unit: "ms", reference: TARGET_MS, ratio: median / TARGET_MS, spread };
}
