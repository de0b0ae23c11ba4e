import type { Bytes } from "../../src/bytes/index.ts";
import { readStoredObject } from "../../src/coordinator/job-loader.ts";
import { CheckpointStore, JobStore } from "../../src/job/index.ts";
import type { TestFederation } from "./a-federation.ts";

/** What the submitter of a job signed, as the server keeps it: enough to offer the job to anybody once more. */
export async function signedJobOf(
  { crypto, blobs, metadata }: TestFederation,
  jobId: string,
): Promise<{ readonly object: Bytes; readonly chain: readonly Bytes[] }> {
  const checkpoints = new CheckpointStore(new Uint8Array(32).fill(9), { crypto, blobs, metadata });
  return await readStoredObject(await new JobStore(metadata).get(jobId), { checkpoints });
}
