import { elementCount } from "@photinus/core/tensor";
import type { Feature } from "../dataset.ts";
import { numbersOf, type Stage, type StageContext, unfit } from "./stage.ts";

/** (x - mean) / deviation. */
export function normalize(
  { mean, deviation }: { readonly mean: readonly number[]; readonly deviation: readonly number[] },
  { feature }: StageContext,
): Stage {
  if (mean.length !== deviation.length) unfit(feature, "normalize", "as many deviations as means");
  const run = runOf(feature, "normalize", mean.length);
  const change = (value: number, channel: number): number =>
    (value - (mean[channel] ?? 0)) / (deviation[channel] ?? 1);
  return { feature, apply: (values) => perChannel(values, { ...run, change }) };
}

/** A number in the place of NaN. */
export function impute(
  { value: given }: { readonly value: readonly number[] },
  { feature }: StageContext,
): Stage {
  const run = runOf(feature, "impute", given.length);
  const change = (value: number, channel: number): number =>
    Number.isNaN(value) ? (given[channel] ?? 0) : value;
  const { mayMiss: _, ...whole } = feature;
  return { feature: whole, apply: (values) => perChannel(values, { ...run, change }) };
}

interface Run {
  /** Numbers that are given. */
  readonly channels: number;
  /** Elements in a row that one of them is for. */
  readonly length: number;
}

function runOf(feature: Feature, transform: string, channels: number): Run {
  const [first = 1] = feature.shape;
  if (feature.dtype !== "f32") unfit(feature, transform, "f32");
  if (channels !== 1 && channels !== first)
    unfit(feature, transform, `f32[${channels}, ...] with that many numbers`);
  return { channels, length: elementCount(feature.shape) / channels };
}

function perChannel(
  values: Parameters<Stage["apply"]>[0],
  { channels, length, change }: Run & { readonly change: (value: number, channel: number) => number },
): Float32Array {
  const numbers = numbersOf(values);
  for (let at = 0; at < numbers.length; at++) {
    numbers[at] = change(numbers[at] ?? 0, Math.floor(at / length) % channels);
  }
  return numbers;
}
