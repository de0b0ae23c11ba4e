import type { Geometry, Turn } from "./geometry.ts";

/**
 * Krum and Multi-Krum (Blanchard et al. 2017, section 4): the score of an update is the sum of its squared distances to
 * its n − f − 2 nearest others; the `selected` updates with the lowest scores count, equally. Of equal scores the earlier
 * update wins, unless they are equal updates.
 *
 * @returns a coefficient for each update and the origin
 */
export async function krum(
  geometry: Geometry,
  { byzantine, selected }: { readonly byzantine: number; readonly selected: number },
  turn: Turn,
): Promise<Float64Array> {
  const { count } = geometry;
  const scores: { readonly value: number; readonly index: number }[] = [];
  for (let index = 0; index < count; index++) {
    scores.push({ value: score(geometry, index, count - byzantine - 2), index });
    await turn();
  }
  const best = scores
    .sort((left, right) => left.value - right.value || left.index - right.index)
    .slice(0, selected);
  const coefficients = new Float64Array(count + 1);
  for (const { index } of best) coefficients[index] = 1 / best.length;
  return coefficients;
}

function score(geometry: Geometry, index: number, neighbours: number): number {
  return distancesFrom(geometry, index)
    .slice(1, 1 + neighbours) // the first is the update itself
    .reduce((sum, { squared }) => sum + squared, 0);
}

/** All updates by their distance from one of them, itself first, then the nearest. */
export function distancesFrom(
  geometry: Geometry,
  index: number,
): readonly { readonly other: number; readonly squared: number }[] {
  const rank = (other: number): number => (other === index ? -1 : other);
  return Array.from({ length: geometry.count }, (_, other) => ({
    other,
    squared: other === index ? 0 : geometry.squaredDistance(index, other),
  })).sort((left, right) => left.squared - right.squared || rank(left.other) - rank(right.other));
}
