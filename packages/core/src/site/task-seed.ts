import { utf8 } from "../bytes/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { labelled, u32 } from "../wire/index.ts";

/** What the seed of a task depends on. */
export interface TaskSeedFacts {
  /** Seed of the job definition, unsigned 32 bits. */
  readonly seed: number;
  /** Name of the site. */
  readonly site: string;
  /** 1, 2, 3, ... */
  readonly round: number;
}

/**
 * Seed of everything random in one site's training of one round: the first 32 bits, big endian, of
 * SHA-256(S("seed", seed u32 ‖ round u32 ‖ site)). So a round can be trained again with the same result, and two sites
 * never shuffle alike.
 */
export async function taskSeed(
  { seed, site, round }: TaskSeedFacts,
  crypto: Pick<CryptoProvider, "sha256">,
): Promise<number> {
  const digest = await crypto.sha256(labelled("seed", u32(seed), u32(round), utf8(site)));
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
}
