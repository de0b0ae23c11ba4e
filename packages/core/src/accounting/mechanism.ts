/** Noise from a normal distribution on a value whose L2 norm is bounded. */
export interface GaussianMechanism {
  /** Which mechanism. */
  readonly kind: "gaussian";
  /** σ: standard deviation of the noise over the bound of the norm, > 0. */
  readonly noiseMultiplier: number;
  /** q: probability with which the protected unit takes part at all, by independent draws that nobody sees; (0, 1]. */
  readonly samplingRate: number;
}

/** A mechanism that is (ε, 0)-differentially private. */
export interface PureMechanism {
  /** Which mechanism. */
  readonly kind: "pure";
  /** ε > 0 */
  readonly epsilon: number;
}

/** What a release of data costs, as accountants see it. */
export type Mechanism = GaussianMechanism | PureMechanism;

/** Releases by one mechanism. */
export interface Releases {
  /** What was done each time. */
  readonly mechanism: Mechanism;
  /** How often, ≥ 0. */
  readonly count: number;
}

/** What may be spent. */
export interface PrivacyBudget {
  /** ε > 0 */
  readonly epsilon: number;
  /** δ in (0, 1) */
  readonly delta: number;
}

/** True when both cost the same. */
export function isSameMechanism(left: Mechanism, right: Mechanism): boolean {
  if (left.kind === "pure" || right.kind === "pure") {
    return left.kind === "pure" && right.kind === "pure" && left.epsilon === right.epsilon;
  }
  return left.noiseMultiplier === right.noiseMultiplier && left.samplingRate === right.samplingRate;
}

/** Adds releases up: one entry for each mechanism. */
export function addReleases(...lists: readonly (readonly Releases[])[]): readonly Releases[] {
  const sums: Releases[] = [];
  for (const { mechanism, count } of lists.flat()) {
    const index = sums.findIndex((known) => isSameMechanism(known.mechanism, mechanism));
    const known = sums[index];
    if (known === undefined) sums.push({ mechanism, count });
    else sums[index] = { mechanism, count: known.count + count };
  }
  return sums;
}

/** Releases of all mechanisms together. */
export function releasesIn(releases: readonly Releases[]): number {
  return releases.reduce((sum, { count }) => sum + count, 0);
}
