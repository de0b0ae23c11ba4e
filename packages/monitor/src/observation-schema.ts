import { MessageError } from "@photinus/core/errors";
import type {
  ContributionView,
  JobEnd,
  JobState,
  JobView,
  MeasurementView,
  MetricsView,
  MetricView,
  Observation,
  ObservationChange,
  RoundView,
  SitePhase,
  SiteView,
} from "@photinus/core/message/observation";

/**
 * The check of what a server sends, in a fiftieth of the size of a schema library: an element that strangers embed
 * must stay light. A check returns the path of the first bad field, or `undefined`.
 */
type Check = (value: unknown, path: string) => string | undefined;

const MAX_TEXT = 2_000;
const MAX_ITEMS = 100_000;

const text: Check = (value, path) =>
  typeof value === "string" && value.length <= MAX_TEXT ? undefined : path;
const number: Check = (value, path) =>
  typeof value === "number" && Number.isFinite(value) ? undefined : path;

const oneOf =
  (...allowed: readonly string[]): Check =>
  (value, path) =>
    allowed.includes(String(value)) ? undefined : path;

const maybe =
  (check: Check): Check =>
  (value, path) =>
    value === undefined ? undefined : check(value, path);

const listOf =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value) || value.length > MAX_ITEMS) return path;
    for (const [index, item] of value.entries()) {
      const bad = check(item, `${path}[${index}]`);
      if (bad !== undefined) return bad;
    }
    return undefined;
  };

/** Unknown fields are let through and never read, so that a newer server can add one. */
function record<T>(fields: { readonly [K in keyof Required<T>]: Check }): Check {
  const checks = Object.entries<Check>(fields);
  return (value, path) => {
    if (typeof value !== "object" || value === null) return path;
    for (const [name, check] of checks) {
      const bad = check(Reflect.get(value, name), `${path}.${name}`);
      if (bad !== undefined) return bad;
    }
    return undefined;
  };
}

const state = oneOf(
  ...(["waiting", "dispatched", "running", "finished", "failed", "aborted"] satisfies JobState[]),
);
const end = record<JobEnd>({ outcome: text, by: text, code: text, detail: text });
const phase = oneOf(
  ...([
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
  ] satisfies SitePhase[]),
);

const metrics = record<MetricsView>({
  ...{ loss: number, accuracy: number, exampleCount: number },
  metrics: maybe(listOf(record<MetricView>({ name: text, value: number }))),
});

const site = record<SiteView>({
  name: text,
  org: text,
  runtime: text,
  device: text,
  phase,
  progress: number,
  cause: text,
  detail: maybe(text),
  trainingExamples: number,
  heldOutExamples: number,
  accepted: number,
  bytesDown: number,
  bytesUp: number,
});

const measurement = record<MeasurementView>({
  ...{ subject: text, site: text, loss: number, accuracy: number, exampleCount: number },
});

const contribution = record<ContributionView>({
  site: text,
  outcome: oneOf("accepted", "refused", "late", "missing"),
  cause: text,
  exampleCount: number,
  trainingLoss: number,
  norm: number,
  milliseconds: number,
});

const round = record<RoundView>({
  round: number,
  startedAtMs: number,
  endedAtMs: maybe(number),
  contributions: listOf(contribution),
  trainingLoss: maybe(number),
  evaluation: maybe(metrics),
  bytesDown: number,
  bytesUp: number,
});

const job = record<JobView>({
  jobId: text,
  name: text,
  purpose: text,
  state,
  reason: text,
  end: maybe(end),
  rounds: number,
  minimumSites: number,
  startedAtMs: number,
  endedAtMs: maybe(number),
  modelBytes: number,
  initialEvaluation: maybe(metrics),
  sites: listOf(site),
  history: listOf(round),
  measurements: maybe(listOf(measurement)),
});

const CHANGES: Readonly<Record<ObservationChange["kind"], Check>> = {
  job: record({ state, reason: text, atMs: number, end: maybe(end) }),
  site: record({ site }),
  round: record({ round }),
  "initial-evaluation": record({ evaluation: metrics }),
  measurement: record({ measurement }),
};

const change: Check = (value, path) => {
  const kind = typeof value === "object" && value !== null ? String(Reflect.get(value, "kind")) : "";
  return Object.hasOwn(CHANGES, kind) ? CHANGES[kind as keyof typeof CHANGES](value, path) : `${path}.kind`;
};

const KINDS: Readonly<Record<Observation["kind"], Check>> = {
  snapshot: record({ sequence: number, job }),
  increment: record({ sequence: number, change }),
};

/**
 * An observation out of what a carrier delivered.
 *
 * @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field
 */
export function parseObservation(value: unknown): Observation {
  const kind = typeof value === "object" && value !== null ? String(Reflect.get(value, "kind")) : "";
  const bad = Object.hasOwn(KINDS, kind)
    ? KINDS[kind as keyof typeof KINDS](value, "observation")
    : "observation.kind";
  if (bad !== undefined) throw new MessageError("ERR_MESSAGE_MALFORMED", `${bad} is not what it must be`);
  return value as Observation; // every field was checked above
}
