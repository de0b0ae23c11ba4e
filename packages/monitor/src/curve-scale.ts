import type { ChartPoint } from "./chart-data.ts";

/** A linear map from values to pixels, with the values that get a label. */
export interface Scale {
  /** Pixel of a value. */
  readonly at: (value: number) => number;
  /** Labelled values, in order. */
  readonly ticks: readonly number[];
}

const linear =
  (from: number, to: number, start: number, end: number) =>
  (value: number): number =>
    start + ((value - from) / (to - from)) * (end - start);

const range = (count: number, step: number, start = 0): readonly number[] =>
  Array.from({ length: count }, (_, index) => start + index * step);

/** The smallest of `factors` times a power of ten that is at least `value` (> 0). */
export function niceCeiling(value: number, factors: readonly number[] = [1, 2, 5]): number {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  const factor = factors.find((candidate) => candidate * magnitude >= value * (1 - 1e-9)) ?? 10;
  return factor * magnitude;
}

/** Jobs of at most this many rounds are drawn as a whole from the start. */
const SHORT_JOB = 30;

/** First and last round of the x axis: a long job is drawn as far as it got, with some room ahead. */
export function roundExtent(
  points: readonly ChartPoint[],
  rounds: number,
): readonly [from: number, to: number] {
  const planned = Math.max(1, rounds);
  if (planned <= SHORT_JOB) return [0, planned];
  const from = points[0]?.round ?? 0;
  const present = points.at(-1)?.round ?? 0;
  return [from, Math.min(planned, Math.max(from + 20, present + Math.ceil((present - from) / 5)))];
}

/** Rounds over `left`..`right`, labelled about every 44 pixels at whole rounds. */
export function roundScale(
  [from, to]: readonly [from: number, to: number],
  left: number,
  right: number,
): Scale {
  const step = Math.max(
    1,
    Math.ceil(niceCeiling((to - from) / Math.max(1, Math.floor((right - left) / 44)))),
  );
  const first = Math.ceil(from / step) * step;
  return {
    at: linear(from, to, left, right),
    ticks: range(Math.floor((to - first) / step) + 1, step, first),
  };
}

/** From zero, or from the half when no accuracy lies below: then late rounds stay apart. */
export function accuracyScale(points: readonly ChartPoint[], bottom: number, top: number): Scale {
  const isHigh = points.length > 0 && points.every(({ accuracy }) => accuracy === null || accuracy >= 0.5);
  const floor = isHigh ? 0.5 : 0;
  return { at: linear(floor, 1, bottom, top), ticks: range(5, (1 - floor) / 4, floor) };
}

/** From zero, in as many steps as the accuracy has, so that both share their grid lines. */
export function lossScale(points: readonly ChartPoint[], bottom: number, top: number): Scale {
  const highest = points.reduce((high, { loss }) => Math.max(high, loss ?? 0), 0);
  const step = highest > 0 ? niceCeiling(highest / 4, [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8]) : 0.25;
  return { at: linear(0, 4 * step, bottom, top), ticks: range(5, step) };
}

/** At most `limit` points: of each run of neighbours the last, and always the newest of all. */
export function thinOut(points: readonly ChartPoint[], limit: number): readonly ChartPoint[] {
  const stride = Math.ceil(points.length / limit);
  return stride <= 1 ? points : points.filter((_, index) => (points.length - 1 - index) % stride === 0);
}
