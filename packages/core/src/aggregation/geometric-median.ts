import type { Geometry, Turn } from "./geometry.ts";
import { distancesFrom } from "./krum.ts";

/** Iterations at most; the paper finds that three suffice. */
const MOST_ITERATIONS = 100;
/** Ends when no coefficient changes by more. */
const TOLERANCE = 1e-9;
/** ν of the paper, as a part of the median distance: keeps an update that lies on the estimate from taking all the weight. */
const SMOOTHING = 1e-6;

/**
 * The geometric median min_z Σ α_i ‖x_i − z‖ by the smoothed Weiszfeld algorithm (Pillutla, Kakade, Harchaoui 2022, "Robust
 * Aggregation for Federated Learning", algorithm 2): z ← Σ β_i x_i / Σ β_i with β_i = α_i / max(ν, ‖x_i − z‖). It begins
 * with the mean of the nearer half around the update with the least sum of distances: from the mean of all, which one site
 * can move as far as it likes, it would converge too slowly.
 *
 * @param weights α_i > 0, one for each update
 * @returns a coefficient for each update and the origin
 */
export async function geometricMedian(
  geometry: Geometry,
  weights: readonly number[],
  turn: Turn,
): Promise<Float64Array> {
  let estimate = await nearerHalf(geometry, weights, turn);
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    await turn();
    const distances = geometry.squaredDistancesTo(estimate).map(Math.sqrt);
    const smallest = SMOOTHING * (distances.toSorted()[Math.floor(distances.length / 2)] ?? 0);
    if (smallest === 0) return estimate; // most updates are one
    const next = normalized(
      estimate.map(
        (_, i) => (weights[i] ?? 0) / Math.max(smallest, distances[i] ?? Number.POSITIVE_INFINITY),
      ),
    );
    const change = next.reduce((most, value, i) => Math.max(most, Math.abs(value - (estimate[i] ?? 0))), 0);
    estimate = next;
    if (change <= TOLERANCE) break;
  }
  return estimate;
}

async function nearerHalf(geometry: Geometry, weights: readonly number[], turn: Turn): Promise<Float64Array> {
  let least = { sum: Number.POSITIVE_INFINITY, nearest: distancesFrom(geometry, 0) };
  for (let index = 0; index < geometry.count; index++) {
    const nearest = distancesFrom(geometry, index);
    const sum = nearest.reduce(
      (total, { other, squared }) => total + (weights[other] ?? 0) * Math.sqrt(squared),
      0,
    );
    if (sum < least.sum) least = { sum, nearest };
    await turn();
  }
  const coefficients = new Float64Array(geometry.count + 1);
  for (const { other } of least.nearest.slice(0, Math.ceil((geometry.count + 1) / 2))) {
    coefficients[other] = weights[other] ?? 0;
  }
  return normalized(coefficients);
}

function normalized(coefficients: Float64Array): Float64Array {
  const total = coefficients.reduce((sum, value) => sum + value, 0);
  return coefficients.map((value) => value / total);
}
