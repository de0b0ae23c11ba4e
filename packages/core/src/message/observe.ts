import * as v from "valibot";
import { defineMessage, parseAs } from "./define.ts";
import type { MessageDefinition } from "./definition.ts";
import { finite, finiteNotNegative, integerIn, jobId, round, textOf, USER_ROLES } from "./fields.ts";
import type {
  ContributionView,
  JobEnd,
  JobState,
  JobView,
  MeasurementView,
  MetricsView,
  Observation,
  ObservationChange,
  RoundView,
  SiteView,
} from "./observation.ts";

/** Body of {@link observe}. */
export interface Observe {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Last sequence that the reader has. */
  readonly fromSequence?: number;
}

const sequence = integerIn(0, Number.MAX_SAFE_INTEGER);

/** A user or an adapter watches a job: snapshot, then increments, until the job or the session ends. */
export const observe: MessageDefinition<Observe> = defineMessage(
  { type: 37, name: "observe", signed: false, from: [...USER_ROLES, "adapter"] },
  v.strictObject({ jobId, fromSequence: v.exactOptional(sequence) }),
);

const time = integerIn(0, Number.MAX_SAFE_INTEGER);
const bytes = integerIn(0, Number.MAX_SAFE_INTEGER);
const count = integerIn(0, 2 ** 48);
/** Where a job stands. */
export const jobState: v.GenericSchema<unknown, JobState> = v.picklist([
  "waiting",
  "dispatched",
  "running",
  "finished",
  "failed",
  "aborted",
]);

/** Why a job ended, on the wire and in storage. */
export const jobEnd: v.GenericSchema<unknown, JobEnd> = v.strictObject({
  outcome: v.picklist([
    "completed",
    "aborted",
    "execution-exception",
    "abnormal",
    "cannot-schedule",
    "failed-to-run",
    "abandoned",
  ]),
  by: textOf(1, 128),
  code: textOf(0, 64),
  detail: textOf(0, 500),
});

const metrics: v.GenericSchema<unknown, MetricsView> = v.strictObject({
  loss: finite,
  accuracy: finite,
  exampleCount: count,
  metrics: v.exactOptional(
    v.pipe(v.array(v.strictObject({ name: textOf(1, 64), value: finite })), v.maxLength(8)),
  ),
});

/** Most measurements that a job shows: they are kept in one record. */
export const MAX_MEASUREMENTS = 4_000;

const measurementView: v.GenericSchema<unknown, MeasurementView> = v.strictObject({
  subject: textOf(0, 63),
  site: textOf(1, 63),
  loss: finite,
  accuracy: finite,
  exampleCount: count,
});

const siteView: v.GenericSchema<unknown, SiteView> = v.strictObject({
  name: textOf(1, 63),
  org: textOf(0, 63),
  runtime: textOf(0, 20),
  device: textOf(0, 63),
  phase: v.picklist([
    "connected",
    "preparing",
    "idle",
    "evaluating",
    "training",
    "uploading",
    "received",
    "committed",
    "refused",
    "late",
    "missing",
    "disconnected",
  ]),
  progress: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  cause: textOf(0, 64),
  detail: v.exactOptional(textOf(0, 500)),
  trainingExamples: count,
  heldOutExamples: count,
  accepted: count,
  bytesDown: bytes,
  bytesUp: bytes,
});

const contributionView: v.GenericSchema<unknown, ContributionView> = v.strictObject({
  site: textOf(1, 63),
  outcome: v.picklist(["accepted", "refused", "late", "missing"]),
  cause: textOf(0, 64),
  exampleCount: count,
  trainingLoss: finite,
  norm: finiteNotNegative,
  milliseconds: finiteNotNegative,
});

/** Most sites of one job that observations name. */
const MAX_SITES = 10_000;

const roundView: v.GenericSchema<unknown, RoundView> = v.strictObject({
  round,
  startedAtMs: time,
  endedAtMs: v.exactOptional(time),
  contributions: v.pipe(v.array(contributionView), v.maxLength(MAX_SITES)),
  trainingLoss: v.exactOptional(finite),
  evaluation: v.exactOptional(metrics),
  bytesDown: bytes,
  bytesUp: bytes,
});

const jobView: v.GenericSchema<unknown, JobView> = v.strictObject({
  jobId,
  name: textOf(1, 100),
  purpose: textOf(0, 2000),
  state: jobState,
  reason: textOf(0, 100),
  end: v.exactOptional(jobEnd),
  rounds: round,
  minimumSites: count,
  startedAtMs: time,
  endedAtMs: v.exactOptional(time),
  modelBytes: bytes,
  initialEvaluation: v.exactOptional(metrics),
  sites: v.pipe(v.array(siteView), v.maxLength(MAX_SITES)),
  history: v.pipe(v.array(roundView), v.maxLength(100_000)),
  measurements: v.exactOptional(v.pipe(v.array(measurementView), v.maxLength(MAX_MEASUREMENTS))),
});

const change: v.GenericSchema<unknown, ObservationChange> = v.variant("kind", [
  v.strictObject({
    kind: v.literal("job"),
    ...{ state: jobState, reason: textOf(0, 100), atMs: time },
    end: v.exactOptional(jobEnd),
  }),
  v.strictObject({ kind: v.literal("site"), site: siteView }),
  v.strictObject({ kind: v.literal("round"), round: roundView }),
  v.strictObject({ kind: v.literal("initial-evaluation"), evaluation: metrics }),
  v.strictObject({ kind: v.literal("measurement"), measurement: measurementView }),
]);

const observationSchema: v.GenericSchema<unknown, Observation> = v.variant("kind", [
  v.strictObject({ kind: v.literal("snapshot"), sequence, job: jobView }),
  v.strictObject({ kind: v.literal("increment"), sequence, change }),
]);

/**
 * An observation from the wire, from server-sent events or from storage.
 * @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field
 */
export function parseObservation(value: unknown): Observation {
  return parseAs("observation", observationSchema, value);
}

/** A job's view from storage. @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseJobView(value: unknown): JobView {
  return parseAs("job view", jobView, value);
}

/** Body of {@link observation}. */
export interface ObservationBody {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** A snapshot or an increment. */
  readonly observation: Observation;
}

/** One observation for a user that watches. Long histories travel as several snapshots' increments of rounds. */
export const observation: MessageDefinition<ObservationBody> = defineMessage(
  { type: 38, name: "observation", signed: false, from: ["server"] },
  v.strictObject({ jobId, observation: observationSchema }),
);
