import * as v from "valibot";
import { type Bytes, toBytes } from "../../bytes/index.ts";
import { whole } from "../fields.ts";
import { type MetricDefinition, metricOf } from "./definition.ts";

/** A metric and its number. */
export interface MetricValue {
  /** Which, as people read it: `top-3`, `auc`. */
  readonly name: string;
  /** The number. */
  readonly value: number;
}

/** Most metrics of a job. */
const MAX_METRICS = 8;

/** Most classes of a confusion matrix: as many as 4 096 sums allow. */
const MAX_CLASSES = 64;

const MetricSchema: v.GenericSchema<unknown, MetricDefinition> = v.variant(
  "name",
  [
    v.strictObject({ name: v.literal("top-k"), k: whole(1, 1000) }),
    v.strictObject({ name: v.literal("confusion-matrix"), classes: whole(2, MAX_CLASSES) }),
    v.strictObject({ name: v.picklist(["auc", "perplexity", "r2"]) }),
  ],
  'one of "top-k", "confusion-matrix", "auc", "perplexity", "r2"',
);

/** Metrics of a job, as they come from outside. */
export const MetricsSchema: v.GenericSchema<unknown, readonly MetricDefinition[]> = v.pipe(
  v.array(MetricSchema, "a list"),
  v.maxLength(MAX_METRICS, `at most ${MAX_METRICS} metrics`),
);

/** How many sums each metric of a job keeps: the server knows it without the model. */
const sizesOf = (metrics: readonly MetricDefinition[]): readonly number[] =>
  metrics.map((metric) =>
    metricOf(metric).size(metric.name === "confusion-matrix" ? (metric.classes ?? 0) : 1),
  );

/** How many sums the metrics of a job keep together. */
export function metricSumCount(metrics: readonly MetricDefinition[]): number {
  return sizesOf(metrics).reduce((total, size) => total + size, 0);
}

/** Sums of all metrics of a job behind one another, as they travel: f64, little-endian. */
export function packMetricSums(sums: ArrayLike<number>): Bytes {
  const view = new DataView(new ArrayBuffer(8 * sums.length));
  for (let index = 0; index < sums.length; index++) view.setFloat64(8 * index, sums[index] ?? 0, true);
  return toBytes(new Uint8Array(view.buffer));
}

/** What {@link packMetricSums} packed. @returns undefined for another number of sums, one that is not finite, or what no examples give */
export function unpackMetricSums(
  bytes: Bytes,
  metrics: readonly MetricDefinition[],
): Float64Array | undefined {
  const count = metricSumCount(metrics);
  if (bytes.byteLength !== 8 * count) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sums = Float64Array.from({ length: count }, (_, index) => view.getFloat64(8 * index, true));
  if (!sums.every(Number.isFinite)) return undefined;
  return [...ofEach(metrics, sums)].every(([metric, own]) => metricOf(metric).isPossible(own))
    ? sums
    : undefined;
}

/** The numbers that the sums of all sites together stand for; a metric of which nothing was counted has none. */
export function metricValues(
  metrics: readonly MetricDefinition[],
  sums: Float64Array,
): readonly MetricValue[] {
  return [...ofEach(metrics, sums)].flatMap(([metric, own]) => {
    const value = metricOf(metric).finish(own);
    return Number.isFinite(value)
      ? [{ name: metric.name === "top-k" ? `top-${metric.k}` : metric.name, value }]
      : [];
  });
}

/** Each metric with its own of the sums. */
function* ofEach(
  metrics: readonly MetricDefinition[],
  sums: Float64Array,
): Generator<readonly [MetricDefinition, Float64Array]> {
  const sizes = sizesOf(metrics);
  let start = 0;
  for (const [index, metric] of metrics.entries()) {
    const end = start + (sizes[index] ?? 0);
    yield [metric, sums.subarray(start, end)];
    start = end;
  }
}
