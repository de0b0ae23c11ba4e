import { decode } from "../decomposer/index.ts";
import { type JobRecord, layoutOfTable, parseJobPayload } from "../job/index.ts";
import type { JobModules } from "./job-context.ts";
import { readStoredObject } from "./job-loader.ts";
import { publish } from "./publisher.ts";
import type { ResultToSend } from "./user-routes.ts";

/** The newest model of a job, sealed for the user who asked. */
export async function loadResult(record: JobRecord, modules: JobModules): Promise<ResultToSend> {
  const { jobId, last } = record;
  const { payload: encoded } = await readStoredObject(record, modules);
  const payload = parseJobPayload(decode(encoded, modules.registry));
  const { tensors, byteLength } = layoutOfTable(payload.parameters);
  const { version } = last;
  const { chunkBytes } = payload.definition;
  const slot = await modules.slots.acquire("", byteLength, new AbortController().signal);
  try {
    const bytes = await modules.checkpoints.get(last.checkpoint, slot.bytes);
    const options = { jobId, kind: "model", version, bytes, chunkBytes, tensors } as const;
    return { version, tensors, published: await publish(options, modules, modules) };
  } finally {
    slot.release();
  }
}
