import { concatBytes, toBytes, utf8 } from "../bytes/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import type { Geometry, Turn } from "./geometry.ts";
import { distancesFrom } from "./krum.ts";

/**
 * Nearest-neighbour mixing (Allouah et al. 2023, "Fixing by Mixing", algorithm 2): each update becomes the mean of the n − f
 * updates that are nearest to it, itself among them.
 *
 * @returns for each mixed update its coefficients over the updates and the origin
 */
export async function nearestNeighbours(
  geometry: Geometry,
  byzantine: number,
  turn: Turn,
): Promise<readonly Float64Array[]> {
  const { count } = geometry;
  const nearest = count - byzantine;
  const rows: Float64Array[] = [];
  for (let index = 0; index < count; index++) {
    const coefficients = new Float64Array(count + 1);
    for (const { other } of distancesFrom(geometry, index).slice(0, nearest))
      coefficients[other] = 1 / nearest;
    rows.push(coefficients);
    await turn();
  }
  return rows;
}

/**
 * Bucketing (Karimireddy, He, Jaggi 2022, "Byzantine-Robust Learning on Heterogeneous Datasets via Bucketing", algorithm 1):
 * the updates are shuffled and averaged by `size`. The order is drawn from the norms of all updates, so that nobody knows it
 * who does not know them all, and a round that is done again after a crash draws it again.
 *
 * @param norms L2 norms of the updates
 * @returns for each bucket its coefficients over the updates and the origin
 */
export async function buckets(
  norms: readonly number[],
  size: number,
  crypto: CryptoProvider,
): Promise<readonly Float64Array[]> {
  const order = await shuffled(norms, crypto);
  const rows: Float64Array[] = [];
  for (let start = 0; start < order.length; start += size) {
    const members = order.slice(start, start + size);
    const sum = new Float64Array(norms.length + 1);
    for (const member of members) sum.set([1 / members.length], member);
    rows.push(sum);
  }
  return rows;
}

/** By SHA-256(seed ‖ rank): ranks, not positions, so that the order in which updates came makes no difference. */
async function shuffled(norms: readonly number[], crypto: CryptoProvider): Promise<readonly number[]> {
  const byNorm = norms
    .map((norm, index) => ({ norm, index }))
    .sort((left, right) => left.norm - right.norm || left.index - right.index);
  const seed = await crypto.sha256(
    concatBytes(utf8("photinus/bucketing"), toBytes(Float64Array.from(byNorm, ({ norm }) => norm))),
  );
  const keyed = await Promise.all(
    byNorm.map(async ({ index }, rank) => {
      const digest = await crypto.sha256(concatBytes(seed, toBytes(Uint32Array.of(rank))));
      return { index, key: new DataView(digest.buffer, digest.byteOffset).getBigUint64(0) };
    }),
  );
  return keyed.sort((left, right) => (left.key < right.key ? -1 : 1)).map(({ index }) => index);
}
