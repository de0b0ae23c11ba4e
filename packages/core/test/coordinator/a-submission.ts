import type { JobBundle } from "../../src/job/index.ts";
import type { TestFederation } from "./a-federation.ts";
import { aChunkedBundle } from "./resuming-site.ts";

export const LEAD = "lead@example.org";
export const CHUNK = 65_536;
export const GRAPH_CHUNKS = 4;

/** A job whose graph and parameters take several chunks each. */
export const aBundle = (): JobBundle => ({
  ...aChunkedBundle(),
  model: new Uint8Array(GRAPH_CHUNKS * CHUNK).fill(5),
});

/** Blobs that storage holds, of whatever kind. */
export const blobs = async (federation: TestFederation): Promise<number> =>
  (await federation.metadata.list("seal/")).length;

/** Half-done uploads that storage holds. */
export async function storedParts(federation: TestFederation): Promise<number> {
  const entries = await federation.metadata.list("resume/");
  return entries
    .map(({ value }) => JSON.parse(new TextDecoder().decode(value)) as { parts: unknown[] })
    .reduce((sum, { parts }) => sum + parts.length, 0);
}
