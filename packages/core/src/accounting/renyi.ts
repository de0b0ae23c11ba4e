import type { GaussianMechanism, Mechanism, Releases } from "./mechanism.ts";
import { logAdd, logErfc, logSubtract } from "./special-functions.ts";

/** Orders α at which divergences are kept: 1.1 to 10.9 in steps of 0.1, 12 to 63, 128, 256, 512. */
export const RENYI_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, index) => (index + 11) / 10),
  ...Array.from({ length: 52 }, (_, index) => index + 12),
  ...[128, 256, 512],
];

/** Terms of the series that are smaller than exp of this do not count. */
const NEGLIGIBLE_LOG = -30;
/** More terms than any admitted mechanism takes. */
const MOST_TERMS = 10_000;

/** How a divergence becomes (ε, δ). */
export type Conversion =
  /** ε = D + log(1/δ)/(α − 1) (Mironov 2017, proposition 3). */
  | "classic"
  /** ε = D + log((α − 1)/α) − (log δ + log α)/(α − 1) (Canonne, Kamath and Steinke 2020, proposition 12), never more. */
  | "improved";

/** The least ε over all orders, and at which. */
export interface ConvertedEpsilon {
  /** ε ≥ 0; infinite when δ cannot be had. */
  readonly epsilon: number;
  /** The order α that gives it. */
  readonly order: number;
}

/**
 * The (ε, δ) of releases that follow one another, each of which may depend on those before: divergences add up
 * (Mironov 2017, "Rényi Differential Privacy", proposition 1).
 *
 * @param delta δ in (0, 1)
 */
export function epsilonOf(
  releases: readonly Releases[],
  delta: number,
  conversion: Conversion = "improved",
): ConvertedEpsilon {
  if (!(delta > 0 && delta < 1)) throw new RangeError(`delta in (0, 1), got ${delta}`);
  let best: ConvertedEpsilon = { epsilon: Infinity, order: 0 };
  const spent = releases.filter(({ count }) => count > 0);
  if (spent.length === 0) return { epsilon: 0, order: 0 };
  for (const order of RENYI_ORDERS) {
    const divergence = spent.reduce(
      (sum, { mechanism, count }) => sum + count * renyiDivergence(mechanism, order),
      0,
    );
    const epsilon = Math.max(0, converted(divergence, order, { delta, conversion }));
    if (epsilon < best.epsilon) best = { epsilon, order };
  }
  return best;
}

function converted(
  divergence: number,
  order: number,
  { delta, conversion }: { readonly delta: number; readonly conversion: Conversion },
): number {
  if (conversion === "classic") return divergence - Math.log(delta) / (order - 1);
  return divergence + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1);
}

/** The Rényi divergence of one release at order α > 1. @throws RangeError for a mechanism that there cannot be */
export function renyiDivergence(mechanism: Mechanism, order: number): number {
  if (mechanism.kind === "pure") {
    const { epsilon } = mechanism;
    if (!(epsilon > 0)) throw new RangeError(`epsilon > 0, got ${epsilon}`);
    // Bun and Steinke 2016, proposition 1.4; and no order has more than ε.
    return Math.min(epsilon, (order * epsilon * epsilon) / 2);
  }
  const { noiseMultiplier: sigma, samplingRate: rate } = mechanism;
  if (!(sigma > 0)) throw new RangeError(`noiseMultiplier > 0, got ${sigma}`);
  if (!(rate > 0 && rate <= 1)) throw new RangeError(`samplingRate in (0, 1], got ${rate}`);
  if (rate === 1) return order / (2 * sigma * sigma);
  const logMoment = Number.isInteger(order) ? wholeMoment(mechanism, order) : partMoment(mechanism, order);
  return logMoment / (order - 1);
}

/**
 * log A_α of the sampled Gaussian for whole α (Mironov, Talwar and Zhang 2019, section 3.3):
 * A_α = Σ_k C(α, k) (1 − q)^(α−k) q^k exp((k² − k) / 2σ²).
 */
function wholeMoment({ noiseMultiplier: sigma, samplingRate: q }: GaussianMechanism, order: number): number {
  let logMoment = -Infinity;
  let logChoose = 0;
  for (let k = 0; k <= order; k++) {
    if (k > 0) logChoose += Math.log((order - k + 1) / k);
    const logWeight = logChoose + k * Math.log(q) + (order - k) * Math.log1p(-q);
    logMoment = logAdd(logMoment, logWeight + (k * k - k) / (2 * sigma * sigma));
  }
  return logMoment;
}

/** The same for α between whole numbers: two series, left and right of where both densities are equal. */
function partMoment({ noiseMultiplier: sigma, samplingRate: q }: GaussianMechanism, order: number): number {
  const [logQ, logRest, variance] = [Math.log(q), Math.log1p(-q), sigma * sigma];
  const equalAt = variance * Math.log(1 / q - 1) + 0.5;
  let [left, right] = [-Infinity, -Infinity];
  let choose = 1;
  for (let i = 0; i < MOST_TERMS; i++) {
    const j = order - i;
    const logChoose = Math.log(Math.abs(choose));
    const termLeft =
      logChoose + i * logQ + j * logRest + (i * i - i) / (2 * variance) + logTail((i - equalAt) / sigma);
    const termRight =
      logChoose + j * logQ + i * logRest + (j * j - j) / (2 * variance) + logTail((equalAt - j) / sigma);
    const combine = choose > 0 ? logAdd : logSubtract;
    [left, right] = [combine(left, termLeft), combine(right, termRight)];
    if (Math.max(termLeft, termRight) < NEGLIGIBLE_LOG) return logAdd(left, right);
    choose *= (order - i) / (i + 1);
  }
  // An order whose series does not end says nothing, and costs as much as it may.
  return Infinity;
}

/** log of the probability that a standard normal variable exceeds x. */
function logTail(x: number): number {
  return Math.log(0.5) + logErfc(x / Math.SQRT2);
}
