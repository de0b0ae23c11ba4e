/** log(2/√π) */
const LOG_TWO_OVER_ROOT_PI = Math.log(2 / Math.sqrt(Math.PI));
/** From here on the continued fraction converges faster than the series. */
const FRACTION_FROM = 2;
const FRACTION_TERMS = 200;

/** log(exp(a) + exp(b)). */
export function logAdd(a: number, b: number): number {
  const [small, large] = a < b ? [a, b] : [b, a];
  return small === -Infinity ? large : large + Math.log1p(Math.exp(small - large));
}

/** log(exp(a) − exp(b)) for a ≥ b; −∞ where rounding has made b the larger one. */
export function logSubtract(a: number, b: number): number {
  if (b === -Infinity) return a;
  return a <= b ? -Infinity : a + Math.log1p(-Math.exp(b - a));
}

/** log erfc(x), also where erfc itself is too small for a number. */
export function logErfc(x: number): number {
  if (x < FRACTION_FROM) return Math.log1p(-erf(x));
  // Abramowitz and Stegun 7.1.14: √π exp(x²) erfc(x) = 1 / (x + ½ / (x + 1 / (x + 3⁄2 / (x + ...)))), from its end.
  let tail = x;
  for (let term = FRACTION_TERMS; term >= 1; term--) tail = x + term / 2 / tail;
  return -x * x - Math.log(tail) - Math.log(Math.PI) / 2;
}

/** Abramowitz and Stegun 7.1.6: erf(x) = 2/√π exp(−x²) Σ 2^n x^(2n+1) / (2n+1)!!, whose terms have one sign. */
function erf(x: number): number {
  if (x < -6) return -1;
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return sum * Math.exp(LOG_TWO_OVER_ROOT_PI - x * x);
}
