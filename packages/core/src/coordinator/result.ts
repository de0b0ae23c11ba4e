import { decode } from "../decomposer/index.ts";
import { type JobRecord, layoutOfTable, parseJobPayload } from "../job/index.ts";
import type { JobModules } from "./job-context.ts";
import { readStoredObject } from "./job-loader.ts";
import { publish } from "./publisher.ts";
import type { ResultToSend } from "./user-routes.ts";

/** The newest model of a job, for a user who asked. */
export async function loadResult(record: JobRecord, modules: JobModules): Promise<ResultToSend> {
  const { jobId, last } = record;
  const { payload: encoded } = await readStoredObject(record, modules);
  const payload = parseJobPayload(decode(encoded, modules.registry));
  const { tensors } = layoutOfTable(payload.parameters);
  const { version } = last;
  const blob = await modules.checkpoints.published(last.checkpoint);
  const options = { jobId, kind: "model", version, blob, tensors } as const;
  return { version, tensors, published: await publish(options, modules, modules) };
}
