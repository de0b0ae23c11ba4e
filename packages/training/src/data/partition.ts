import { type SeededRandom, seededRandom, shuffledIndices } from "../random.ts";

/** How examples are divided among sites. */
export interface PartitionOptions {
  /** Number of sites, at least 1. */
  readonly sites: number;
  /** Concentration of the Dirichlet distribution, > 0: small values give each site few classes. */
  readonly concentration: number;
  /** Unsigned 32-bit seed. */
  readonly seed: number;
  /** A division that gives a site fewer training examples than this is drawn again. */
  readonly minimumExamples: number;
}

/** Positions of one site's examples, in ascending order. */
export interface SiteIndices {
  /** In the training files. */
  readonly training: Uint32Array<ArrayBuffer>;
  /** In the test files. */
  readonly heldOut: Uint32Array<ArrayBuffer>;
}

const MAX_DRAWS = 1000;

/**
 * Divides labelled examples among sites with a different mixture of classes each: the shares of each class come from
 * a Dirichlet distribution (Hsu et al. 2019, "Measuring the effects of non-identical data distribution"). The same
 * shares divide the test examples. Every example belongs to one site; one seed gives one division everywhere.
 *
 * @param labels class ids of the training and test examples
 * @throws RangeError when no division of 1 000 gives every site `minimumExamples`
 */
export function partitionByLabel(
  labels: { readonly training: Uint8Array; readonly heldOut: Uint8Array },
  options: PartitionOptions,
): readonly SiteIndices[] {
  const random = seededRandom(options.seed);
  const training = positionsByClass(labels.training);
  const heldOut = positionsByClass(labels.heldOut);
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const shares = training.map(() => dirichlet(options, random));
    const sites = divide(training, shares, random);
    if (sites.some((site) => site.length < options.minimumExamples)) continue;
    const tests = divide(heldOut, shares, random);
    return sites.map((site, index) => ({
      training: Uint32Array.from(site).sort(),
      heldOut: Uint32Array.from(tests[index] ?? []).sort(),
    }));
  }
  throw new RangeError(`no division gives ${options.sites} sites ${options.minimumExamples} examples each`);
}

function positionsByClass(labels: Uint8Array): readonly (readonly number[])[] {
  const classes: number[][] = Array.from({ length: 256 }, () => []);
  labels.forEach((label, position) => {
    classes[label]?.push(position);
  });
  return classes;
}

function divide(
  classes: readonly (readonly number[])[],
  shares: readonly (readonly number[])[],
  random: SeededRandom,
): readonly (readonly number[])[] {
  const sites: number[][] = Array.from({ length: shares[0]?.length ?? 0 }, () => []);
  classes.forEach((positions, label) => {
    const order = shuffledIndices(positions.length, random);
    let taken = 0;
    let cumulative = 0;
    sites.forEach((site, index) => {
      cumulative += shares[label]?.[index] ?? 0;
      const last = index === sites.length - 1;
      const end = last ? positions.length : Math.round(cumulative * positions.length);
      for (; taken < end; taken++) site.push(positions[order[taken] ?? 0] ?? 0);
    });
  });
  return sites;
}

/** Shares that sum to 1: independent gamma variates over their sum. */
function dirichlet({ sites, concentration }: PartitionOptions, random: SeededRandom): readonly number[] {
  const variates = Array.from({ length: sites }, () => gamma(concentration, random));
  const total = variates.reduce((sum, variate) => sum + variate, 0);
  return total === 0 ? variates.map(() => 1 / sites) : variates.map((variate) => variate / total);
}

/** Marsaglia and Tsang 2000; below 1 by their note in section 6: Γ(a) = Γ(a + 1) · U^(1/a). */
function gamma(shape: number, random: SeededRandom): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
