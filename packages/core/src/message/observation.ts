/**
 * What people watch: the observation log of a job. A reader gets one snapshot, then numbered increments;
 * {@link applyObservation} folds an increment into the snapshot. Never tensors, never data.
 */

/** Where a job stands. FLARE: SUBMITTED, DISPATCHED, RUNNING and, by its outcome, FINISHED. */
export type JobState = "waiting" | "dispatched" | "running" | "finished" | "failed" | "aborted";

/** How a job ended. FLARE: what stands behind FINISHED. */
export type JobOutcome =
  | "completed"
  | "aborted"
  | "execution-exception"
  | "abnormal"
  | "cannot-schedule"
  | "failed-to-run"
  | "abandoned";

/** Why a job ended: who ended it, by which code, and in one sentence. */
export interface JobEnd {
  /** How. */
  readonly outcome: JobOutcome;
  /** The user who ended it; "server" when nobody did. */
  readonly by: string;
  /** Error code; empty when all rounds are done. */
  readonly code: string;
  /** For people: at most 500 characters. */
  readonly detail: string;
}

/** True when nothing follows. */
export function hasJobEnded(state: JobState): state is "finished" | "failed" | "aborted" {
  return state === "finished" || state === "failed" || state === "aborted";
}

/** Where a site stands, in the job and in the present round. */
export type SitePhase =
  | "connected"
  | "preparing"
  | "idle"
  | "evaluating"
  | "training"
  | "uploading"
  | "received"
  | "committed"
  | "refused"
  | "late"
  | "missing"
  | "disconnected";

/** One site as people see it. */
export interface SiteView {
  /** Name in its certificate. */
  readonly name: string;
  /** Organization. */
  readonly org: string;
  /** "node" or "browser"; what the site says of itself. */
  readonly runtime: string;
  /** Execution provider, e.g. "cpu"; empty until the site prepared the job. */
  readonly device: string;
  /** Where it stands. */
  readonly phase: SitePhase;
  /** Progress of the phase in [0, 1]; 0 when unknown. */
  readonly progress: number;
  /** Error code of the last refusal, lateness or absence; empty when there is none. */
  readonly cause: string;
  /** What the site itself said about it, such as the rule of its policy that refused; absent or empty when nothing. */
  readonly detail?: string;
  /** Examples that local training draws from. */
  readonly trainingExamples: number;
  /** Held-out examples that evaluation uses; 0 when there are none. */
  readonly heldOutExamples: number;
  /** Contributions accepted so far. */
  readonly accepted: number;
  /** Bytes of model versions sent to the site and of updates received from it, as they were on the wire. */
  readonly bytesDown: number;
  /** Bytes of updates received from the site, as they were on the wire. */
  readonly bytesUp: number;
}

/** Averages over sites, weighted by held-out examples. */
export interface MetricsView {
  /** Mean loss. */
  readonly loss: number;
  /** Share of right answers, in [0, 1]. */
  readonly accuracy: number;
  /** Held-out examples. */
  readonly exampleCount: number;
  /** Numbers of the job's metrics over the examples of all sites together. Default: none. */
  readonly metrics?: readonly MetricView[];
}

/** A metric of a job and its number. */
export interface MetricView {
  /** `top-5`, `confusion-matrix` (its number is the balanced accuracy), `auc`, `perplexity`, `r2`. */
  readonly name: string;
  /** The number. */
  readonly value: number;
}

/** What one site measured of one model. */
export interface MeasurementView extends Omit<MetricsView, "metrics"> {
  /** Name of the site whose model it is; empty for the job's own. */
  readonly subject: string;
  /** Name of the site that measured it, on its own held-out examples. */
  readonly site: string;
}

/** What one site did in one round. */
export interface ContributionView {
  /** Name of the site. */
  readonly site: string;
  /** How it ended. */
  readonly outcome: "accepted" | "refused" | "late" | "missing";
  /** Error code; empty when accepted. */
  readonly cause: string;
  /** Examples trained on; 0 when nothing was accepted. */
  readonly exampleCount: number;
  /** Mean local training loss; 0 when unknown. */
  readonly trainingLoss: number;
  /** L2 norm of the accepted update; 0 when there is none. */
  readonly norm: number;
  /** From task sent to contribution received. */
  readonly milliseconds: number;
}

/** One round. */
export interface RoundView {
  /** 1, 2, 3, ... */
  readonly round: number;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** When the round was committed; absent while it runs. */
  readonly endedAtMs?: number;
  /** What came of each asked site. */
  readonly contributions: readonly ContributionView[];
  /** Mean local training loss of the accepted contributions, weighted by examples; absent while the round runs, or when no site tells. */
  readonly trainingLoss?: number;
  /** The model version that this round made, evaluated by the sites at the start of the next task; absent until then. */
  readonly evaluation?: MetricsView;
  /** Bytes to the sites, as they were on the wire. */
  readonly bytesDown: number;
  /** Bytes from the sites, as they were on the wire. */
  readonly bytesUp: number;
}

/** A job as people see it. */
export interface JobView {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Title for people. */
  readonly name: string;
  /** What the model is for. */
  readonly purpose: string;
  /** Where the job stands. */
  readonly state: JobState;
  /** Why it ended, when it did: error code or "rounds done"; else empty. */
  readonly reason: string;
  /** Who ended it and why, once it has ended; absent of jobs that ended before this was kept. */
  readonly end?: JobEnd;
  /** Rounds planned. */
  readonly rounds: number;
  /** Sites that a round needs. */
  readonly minimumSites: number;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Milliseconds since 1970; absent until the end. */
  readonly endedAtMs?: number;
  /** Size of the model's parameters in bytes. */
  readonly modelBytes: number;
  /** The model as submitted, evaluated before the first round. */
  readonly initialEvaluation?: MetricsView;
  /** Every site that took part. */
  readonly sites: readonly SiteView[];
  /** In order; the last one may still run. */
  readonly history: readonly RoundView[];
  /** What sites measured of models where each of them counts, at most 4 000; absent of other jobs. */
  readonly measurements?: readonly MeasurementView[];
}

/** One increment. */
export type ObservationChange =
  | {
      readonly kind: "job";
      readonly state: JobState;
      readonly reason: string;
      readonly atMs: number;
      readonly end?: JobEnd;
    }
  | { readonly kind: "site"; readonly site: SiteView }
  | { readonly kind: "round"; readonly round: RoundView }
  | { readonly kind: "initial-evaluation"; readonly evaluation: MetricsView }
  | { readonly kind: "measurement"; readonly measurement: MeasurementView };

/** What a carrier delivers. `sequence` rises by one; a snapshot carries that of the last increment it includes. */
export type Observation =
  | { readonly kind: "snapshot"; readonly sequence: number; readonly job: JobView }
  | { readonly kind: "increment"; readonly sequence: number; readonly change: ObservationChange };

/** Where observations come from: server-sent events, a session, an array in a test. */
export interface ObservationSource {
  /**
   * Observations from now on: a snapshot first, then increments; after a reconnect possibly a snapshot again.
   * Ends when the job has ended or `signal` is aborted.
   */
  observe(signal: AbortSignal): AsyncIterable<Observation>;
}

function replaceBy<T>(list: readonly T[], item: T, isSame: (other: T) => boolean): readonly T[] {
  const index = list.findIndex(isSame);
  return index < 0 ? [...list, item] : list.with(index, item);
}

/** The job after one increment. Pure; `job` is left unchanged. */
export function applyObservation(job: JobView, change: ObservationChange): JobView {
  switch (change.kind) {
    case "job": {
      const { state, reason, end, atMs } = change;
      const told = end === undefined ? {} : { end };
      return { ...job, state, reason, ...told, ...(hasJobEnded(state) ? { endedAtMs: atMs } : {}) };
    }
    case "site":
      return { ...job, sites: replaceBy(job.sites, change.site, ({ name }) => name === change.site.name) };
    case "round":
      return {
        ...job,
        history: replaceBy(job.history, change.round, ({ round }) => round === change.round.round),
      };
    case "initial-evaluation":
      return { ...job, initialEvaluation: change.evaluation };
    case "measurement": {
      const { subject, site } = change.measurement;
      const isSame = (other: MeasurementView): boolean => other.subject === subject && other.site === site;
      return { ...job, measurements: replaceBy(job.measurements ?? [], change.measurement, isSame) };
    }
  }
}
