/** Gives other work a turn: long calculations call it now and then. */
export type Turn = () => Promise<void>;

/**
 * Where the updates of a round lie: all inner products, seen from one of them. Differences of large numbers that are nearly
 * equal lose their digits; seen from an update of middling norm, where a minority of attackers cannot put it far away,
 * distances of honest updates are sums of numbers of their own size.
 */
export interface Geometry {
  /** Number of updates. The origin, no change of the model, is one more point, with index `count`. */
  readonly count: number;
  /** ‖x_i − x_j‖² ≥ 0; indexes up to and with `count`. */
  squaredDistance(i: number, j: number): number;
  /** ‖x_i − z‖² ≥ 0 for every update and z = Σ a_k x_k. @param point a_k of updates and origin; they add up to 1 */
  squaredDistancesTo(point: Float64Array): Float64Array;
  /** The same for points that are means of these: row i of `mix` says of which, with coefficients that add up to 1. */
  mixed(mix: readonly Float64Array[], turn: Turn): Promise<Geometry>;
}

/**
 * @param gram inner products of `points` rows, lower triangle, row-major: the updates, then the origin, all moved by one
 *   and the same vector
 */
export function geometryOf(gram: Float64Array, points: number): Geometry {
  const product = (i: number, j: number): number => gram[Math.max(i, j) * points + Math.min(i, j)] ?? 0;
  /** ⟨x_i, Σ a_k x_k⟩ for every i. */
  const productsWith = (point: Float64Array): Float64Array => {
    const sums = new Float64Array(points);
    for (const [k, value] of point.entries()) {
      if (value === 0) continue;
      for (let i = 0; i < points; i++) sums[i] = (sums[i] ?? 0) + value * product(i, k);
    }
    return sums;
  };
  return {
    count: points - 1,
    squaredDistance: (i, j) => Math.max(0, product(i, i) - 2 * product(i, j) + product(j, j)),
    squaredDistancesTo(point) {
      // Moving all points by one vector moves z by it too, for the coefficients add up to 1.
      const products = productsWith(point);
      const own = dot(point, products);
      return products.subarray(0, points - 1).map((each, i) => Math.max(0, product(i, i) - 2 * each + own));
    },
    async mixed(mix, turn) {
      const rows = [...mix, unit(points - 1, points)];
      const mixed = new Float64Array(rows.length ** 2);
      for (const [i, left] of rows.entries()) {
        const products = productsWith(left);
        for (let j = 0; j <= i; j++) mixed[i * rows.length + j] = dot(rows[j] ?? left, products);
        await turn();
      }
      return geometryOf(mixed, rows.length);
    },
  };
}

/** The coefficients of one point. */
export function unit(index: number, points: number): Float64Array {
  const coefficients = new Float64Array(points);
  coefficients[index] = 1;
  return coefficients;
}

function dot(left: Float64Array, right: Float64Array): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
}
