import type { Clock } from "../platform/index.ts";
import type { ParameterSet } from "../tensor/index.ts";
import { eachBlock } from "./values.ts";

/** Bits of an absolute value that one pass looks at. */
const BUCKETS = 65_536;
/** All bits of a float but its sign. */
const MAGNITUDE_BITS = 0x7fff_ffff;

/**
 * The absolute value of that rank among all values, without sorting: floats without sign are ordered as their bits are, so
 * two passes that count find it (radix selection). Values are finite.
 *
 * @param rank 0 for the smallest, below the number of values
 */
export async function magnitudeOfRank(
  parameters: ParameterSet,
  rank: number,
  clock: Pick<Clock, "yield">,
): Promise<number> {
  const high = await counted(parameters, clock, (bits) => bits >>> 16);
  const upper = bucketOf(high, rank);
  const low = await counted(parameters, clock, (bits) => (bits >>> 16 === upper.bucket ? bits & 0xffff : -1));
  const lower = bucketOf(low, upper.rest);
  const bits = new Uint32Array([upper.bucket * BUCKETS + lower.bucket]);
  return new Float32Array(bits.buffer)[0] ?? 0;
}

/** How many values fall into each bucket; a negative one does not count. */
async function counted(
  parameters: ParameterSet,
  clock: Pick<Clock, "yield">,
  bucketOfBits: (bits: number) => number,
): Promise<Float64Array> {
  const counts = new Float64Array(BUCKETS);
  await eachBlock(parameters, clock, ({ values }) => {
    for (const bits of new Uint32Array(values.buffer, values.byteOffset, values.length)) {
      const bucket = bucketOfBits(bits & MAGNITUDE_BITS);
      if (bucket >= 0) counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
  });
  return counts;
}

function bucketOf(counts: Float64Array, rank: number): { readonly bucket: number; readonly rest: number } {
  let rest = rank;
  for (const [bucket, count] of counts.entries()) {
    if (rest < count) return { bucket, rest };
    rest -= count;
  }
  throw new RangeError(`there is no value of rank ${rank}`);
}
