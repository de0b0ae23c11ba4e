/** A reproducible source of numbers for shuffles and initial parameters; never for anything secret. */
export interface SeededRandom {
  /** An integer, uniform in [0, 2^32). */
  uint32(): number;
  /** A number, uniform in [0, 1), with 53 random bits. */
  uniform(): number;
  /** An integer, uniform in [0, limit); `limit` is 1 to 2^32. */
  below(limit: number): number;
  /** A number of the standard normal distribution. */
  normal(): number;
}

/** The seed of what transforms draw, beside that of the shuffles: neither then follows from the other's draws. */
export const transformSeed = (seed: number): number => (seed ^ 0x5bf03635) >>> 0;

const TWO_32 = 2 ** 32;

/**
 * The generator xoshiro128** 1.1 (Blackman and Vigna 2021), seeded by splitmix32, so that one seed gives one
 * sequence in every runtime.
 *
 * @param seed unsigned 32-bit integer
 */
export function seededRandom(seed: number): SeededRandom {
  const state = splitmix32(seed, 4);
  const uint32 = (): number => {
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = state;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const mixed = [s0 ^ s2, s1 ^ s3] as const;
    state[0] = s0 ^ mixed[1];
    state[1] = s1 ^ mixed[0];
    state[2] = mixed[0] ^ (s1 << 9);
    state[3] = rotateLeft(mixed[1], 11);
    return result;
  };
  const uniform = (): number => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;
  const below = (limit: number): number => {
    // Values above the last multiple of `limit` would favour small results: they are drawn again.
    const fair = TWO_32 - (TWO_32 % limit);
    let value = uint32();
    while (value >= fair) value = uint32();
    return value % limit;
  };
  // Box and Muller 1958; 1 - u is never 0.
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uint32, uniform, below, normal };
}

/** The numbers 0 to count - 1 in random order (Fisher and Yates; Durstenfeld 1964). */
export function shuffledIndices(count: number, random: SeededRandom): Uint32Array<ArrayBuffer> {
  const indices = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = random.below(last + 1);
    const swapped = indices[other] ?? 0;
    indices[other] = indices[last] ?? 0;
    indices[last] = swapped;
  }
  return indices;
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function splitmix32(seed: number, count: number): Int32Array {
  let counter = seed | 0;
  return Int32Array.from({ length: count }, () => {
    counter = (counter + 0x9e37_79b9) | 0;
    let mixed = Math.imul(counter ^ (counter >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return mixed ^ (mixed >>> 15);
  });
}
