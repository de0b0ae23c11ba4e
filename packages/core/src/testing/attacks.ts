import type { SeededRandom } from "./seeded-random.ts";

/** Makes what the Byzantine sites of a round send. They know what every honest site sends, and act as one. */
export type Attack = (
  honest: readonly Float32Array[],
  byzantine: number,
  random: SeededRandom,
) => readonly Float32Array<ArrayBuffer>[];

/** Of every coordinate of the honest updates: mean and standard deviation. */
function moments(honest: readonly Float32Array[]): {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
} {
  const length = honest[0]?.length ?? 0;
  const mean = new Float64Array(length);
  const deviation = new Float64Array(length);
  for (let index = 0; index < length; index++) {
    const values = honest.map((update) => update[index] ?? 0);
    const average = values.reduce((sum, value) => sum + value, 0) / values.length;
    mean[index] = average;
    deviation[index] = Math.sqrt(
      values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length,
    );
  }
  return { mean, deviation };
}

const copies = (count: number, update: Float32Array<ArrayBuffer>): readonly Float32Array<ArrayBuffer>[] =>
  Array.from({ length: count }, () => update.slice());

/** The honest mean, turned round and ten times as large (Li et al. 2019, RSA). */
const signFlip: Attack = (honest, byzantine) =>
  copies(
    byzantine,
    Float32Array.from(moments(honest).mean, (value) => -10 * value),
  );

/** Noise of a hundred times the honest updates' size (Blanchard et al. 2017, section 6). */
const gaussian: Attack = (honest, byzantine, random) => {
  const { mean, deviation } = moments(honest);
  const size = 100 * Math.hypot(...mean, ...deviation);
  return Array.from({ length: byzantine }, () =>
    Float32Array.from({ length: mean.length }, () => {
      const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
      return (size / Math.sqrt(mean.length)) * radius * Math.cos(2 * Math.PI * random.uniform());
    }),
  );
};

/** Every coordinate a little off, within what honest sites differ (Baruch et al. 2019): mean − z · deviation. */
const aLittleIsEnough: Attack = (honest, byzantine) => {
  const { mean, deviation } = moments(honest);
  return copies(
    byzantine,
    Float32Array.from(mean, (value, index) => value - 1.5 * (deviation[index] ?? 0)),
  );
};

/** Against the honest mean, small enough to pass for an honest update (Xie et al. 2019, "Fall of Empires"). */
const innerProduct: Attack = (honest, byzantine) =>
  copies(
    byzantine,
    Float32Array.from(moments(honest).mean, (value) => -1.1 * value),
  );

/** One direction of its own, boosted so that a mean would take it over whole (Bagdasaryan et al. 2020). */
const boostedBackdoor: Attack = (honest, byzantine, random) => {
  const { mean } = moments(honest);
  const boost = (honest.length + byzantine) / Math.max(1, byzantine);
  const direction = Float32Array.from(mean, (value) => boost * (value + 3 * (random.uniform() - 0.5)));
  return copies(byzantine, direction);
};

/** As large as a float32 allows without being refused. */
const normBomb: Attack = (honest, byzantine) => {
  const length = honest[0]?.length ?? 0;
  return copies(byzantine, new Float32Array(length).fill(1e14 / Math.sqrt(length)));
};

/** Attacks by name, for tests and benchmarks of aggregation. */
export const ATTACKS: ReadonlyMap<string, Attack> = new Map([
  ["sign flip", signFlip],
  ["gaussian", gaussian],
  ["a little is enough", aLittleIsEnough],
  ["inner product", innerProduct],
  ["boosted backdoor", boostedBackdoor],
  ["norm bomb", normBomb],
]);
