import * as v from "valibot";
import type { JobStore } from "../job/index.ts";
import { decodeRecord } from "../job/index.ts";
import {
  type ContributionView,
  type JobEnd,
  type JobState,
  type JobView,
  MAX_MEASUREMENTS,
  type MetricsView,
  parseJobView,
  type RoundView,
  type SiteView,
} from "../message/index.ts";
import type { TaskOutcome } from "../workflow/index.ts";
import type { ObservationLog } from "./observation-log.ts";

/** Writes what happens in a job onto its observation log, and keeps the finished rounds over restarts. */
export class JobBoard {
  readonly log: ObservationLog;
  readonly #store: JobStore;

  constructor(log: ObservationLog, store: JobStore) {
    this.log = log;
    this.#store = store;
  }

  /** The view of a site; one that was not there before begins as connected. */
  site(name: string): SiteView | undefined {
    return this.log.view.sites.find((site) => site.name === name);
  }

  /** Changes some fields of a site's view. */
  updateSite(name: string, fields: Partial<SiteView>): void {
    const before = this.site(name) ?? newSiteView(name);
    const after = { ...before, ...fields };
    if (!isSameFlat(before, after) || this.site(name) === undefined) {
      this.log.apply({ kind: "site", site: after });
    }
  }

  /** Adds to counters of a site's view. */
  addTraffic(name: string, traffic: { readonly down?: number; readonly up?: number }): void {
    const { bytesDown, bytesUp } = this.site(name) ?? newSiteView(name);
    this.updateSite(name, {
      bytesDown: bytesDown + (traffic.down ?? 0),
      bytesUp: bytesUp + (traffic.up ?? 0),
    });
    const round = this.log.view.history.at(-1);
    if (round === undefined || round.endedAtMs !== undefined) return;
    this.updateRound(round.round, {
      bytesDown: round.bytesDown + (traffic.down ?? 0),
      bytesUp: round.bytesUp + (traffic.up ?? 0),
    });
  }

  /** A round begins, or begins again. */
  beginRound(round: number, startedAtMs: number): void {
    const before = this.#round(round);
    this.log.apply({
      kind: "round",
      round: {
        round,
        startedAtMs: before?.startedAtMs ?? startedAtMs,
        contributions: [],
        bytesDown: before?.bytesDown ?? 0,
        bytesUp: before?.bytesUp ?? 0,
      },
    });
  }

  /** What one site did in a round. */
  addContribution(round: number, contribution: ContributionView): void {
    const contributions = this.#round(round)?.contributions ?? [];
    const others = contributions.filter(({ site }) => site !== contribution.site);
    this.updateRound(round, { contributions: [...others, contribution] });
  }

  /** Changes some fields of a round's view; unknown rounds stay unknown. */
  updateRound(round: number, fields: Partial<RoundView>): void {
    const before = this.#round(round);
    if (before !== undefined) this.log.apply({ kind: "round", round: { ...before, ...fields } });
  }

  /** What the sites measured of a model version. */
  evaluated(version: number, evaluation: MetricsView): void {
    if (version === 0) this.log.apply({ kind: "initial-evaluation", evaluation });
    else this.updateRound(version, { evaluation });
  }

  /** What each site measured of a model: that of the site `subject`, or the job's own where it is empty. */
  measured(subject: string, outcomes: readonly TaskOutcome[]): void {
    for (const { site, evaluation } of outcomes) {
      const { measurements = [] } = this.log.view;
      if (evaluation === undefined || measurements.length >= MAX_MEASUREMENTS) continue;
      this.log.apply({ kind: "measurement", measurement: { subject, site, ...evaluation } });
    }
  }

  /** The job's state changed. @param when ms since 1970; with who ended the job and why */
  changeState(state: JobState, reason: string, when: { readonly atMs: number; readonly end?: JobEnd }): void {
    this.log.apply({ kind: "job", state, reason, ...when });
  }

  /** Keeps outline and the named rounds durably. */
  async persist(rounds: readonly number[]): Promise<void> {
    const { history, ...outline } = this.log.view;
    const writes = history
      .filter(({ round }) => rounds.includes(round))
      .map((view) => this.#store.putView(outline.jobId, partOfRound(view.round), view));
    await Promise.all([...writes, this.#store.putView(outline.jobId, "outline", outline)]);
  }

  #round(round: number): RoundView | undefined {
    return this.log.view.history.find((view) => view.round === round);
  }
}

const partOfRound = (round: number): string => `round/${round.toString().padStart(6, "0")}`;

/** The view of a job as it was kept; `undefined` when nothing was. @throws StorageError `ERR_STORAGE_CORRUPT` */
export async function loadJobView(store: JobStore, jobId: string): Promise<JobView | undefined> {
  const parts = await store.viewParts(jobId);
  const outline = parts.get("outline");
  if (outline === undefined) return undefined;
  const history = [...parts]
    .filter(([part]) => part.startsWith("round/"))
    .map(([part, bytes]) => decodeRecord(v.unknown(), bytes, part));
  return parseJobView({ ...decodeRecord(v.record(v.string(), v.unknown()), outline, jobId), history });
}

function newSiteView(name: string): SiteView {
  return {
    name,
    org: "",
    runtime: "",
    device: "",
    phase: "connected",
    progress: 0,
    cause: "",
    trainingExamples: 0,
    heldOutExamples: 0,
    accepted: 0,
    bytesDown: 0,
    bytesUp: 0,
  };
}

function isSameFlat(left: object, right: object): boolean {
  return Object.entries(right).every(([key, value]) => Reflect.get(left, key) === value);
}
