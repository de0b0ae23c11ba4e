import { type Geometry, type Turn, unit } from "./geometry.ts";

/**
 * Centered clipping (Karimireddy, He, Jaggi 2021, "Learning from History for Byzantine Robust Optimization", equation 3):
 * v ← v + (1/n) Σ (x_i − v) · min(1, τ / ‖x_i − v‖), from v = 0 on. No update moves the estimate by more than τ / n a pass.
 *
 * @returns a coefficient for each update and the origin
 */
export async function centeredClipping(
  geometry: Geometry,
  { radius, iterations }: { readonly radius: number; readonly iterations: number },
  turn: Turn,
): Promise<Float64Array> {
  const { count } = geometry;
  let estimate = unit(count, count + 1);
  for (let iteration = 0; iteration < iterations; iteration++) {
    await turn();
    const shares = geometry
      .squaredDistancesTo(estimate)
      .map((squared) => Math.min(1, radius / Math.sqrt(squared)) / count); // 1 / count at distance 0
    const moved = 1 - shares.reduce((sum, share) => sum + share, 0);
    estimate = estimate.map((value, i) => moved * value + (shares[i] ?? 0));
  }
  return estimate;
}
