import * as v from "valibot";
import { defineFilter } from "./define.ts";
import { between, bound, positive } from "./fields.ts";
import type { FilterKind } from "./filter.ts";
import { NoiseSource } from "./noise.ts";
import { eachBlock, likeParameters, refused, tensorsOf, valueCount } from "./values.ts";

const NAME = "sparse-vector";
/** Values between two turns for other work. */
const TURN = 65_536;

interface SparseVectorArguments {
  readonly fraction: number;
  readonly epsilon: number;
  readonly threshold: number;
  readonly bound: number;
}

/**
 * The sparse vector technique with answers (Lyu, Su and Li 2017, "Understanding the Sparse Vector Technique", algorithm 7):
 * values are cut to ±Δ, Δ = `bound`; of them at most c, a `fraction` of all, are released, those whose noisy magnitude
 * |v| + Lap(2cΔ/ε₂) is at least the noisy threshold T + Lap(Δ/ε₁), each with Lap(cΔ/ε₃) added; all others are zero.
 * ε₁ + ε₂ + ε₃ = `epsilon` for each update, ε₃ being half of it and ε₂ = (2c)^⅔ ε₁ (their section 4.2). The noise grows with
 * c: of use for few values of small models.
 */
export const sparseVector: FilterKind = defineFilter({
  name: NAME,
  understands: ["update"],
  passes: ["metrics"],
  schema: v.strictObject({
    fraction: positive(1),
    epsilon: positive(1_000),
    threshold: between(0, 1e30),
    bound,
  }),
  mechanisms: ({ epsilon }: SparseVectorArguments) => [{ kind: "pure", epsilon }],
  create: ({ fraction, epsilon, threshold, bound: limit }: SparseVectorArguments, { clock, random }) => {
    const noise = new NoiseSource(random);
    return async (data) => {
      const update = tensorsOf(data, NAME);
      const count = valueCount(update);
      if (count === 0) throw refused(NAME, "the update has no values");
      const values = new Float32Array(count);
      await eachBlock(update, clock, (block) => values.set(block.values, block.start));
      const answers = new Float32Array(count);
      const asked = Math.ceil(fraction * count);
      const share = epsilon / 2 / (1 + (2 * asked) ** (2 / 3));
      const [ofThreshold, ofQuery, ofAnswer] = [
        limit / share,
        (2 * asked * limit) / (epsilon / 2 - share),
        (asked * limit) / (epsilon / 2),
      ];
      const noisyThreshold = threshold + ofThreshold * noise.laplace();
      let released = 0;
      const { first, step } = anOrder(count, noise);
      for (let turn = 0, index = first; turn < count && released < asked; turn++) {
        const value = Math.min(limit, Math.max(-limit, values[index] ?? 0));
        if (Math.abs(value) + ofQuery * noise.laplace() >= noisyThreshold) {
          answers[index] = value + ofAnswer * noise.laplace();
          released += 1;
        }
        index = (index + step) % count;
        if (turn % TURN === TURN - 1) await clock.yield();
      }
      const parameters = likeParameters(update, answers);
      return { data: { kind: "update", parameters }, numbers: { released, asked, epsilon } };
    };
  },
});

/** A way through all indices that no data decides: without it the first parameters would be released and no others. */
function anOrder(count: number, noise: NoiseSource): { readonly first: number; readonly step: number } {
  const first = Math.floor(noise.uniform() * count);
  let step = 1 + Math.floor(noise.uniform() * count);
  while (commonDivisor(step, count) !== 1) step += 1;
  return { first, step: step % count || 1 };
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
