import { decode } from "../decomposer/index.ts";
import { JobError } from "../errors/index.ts";
import { type JobRecord, layoutOfTable, parseJobPayload, type StoredModel } from "../job/index.ts";
import type { ResultRequest } from "../message/index.ts";
import type { JobModules } from "./job-context.ts";
import { readStoredObject } from "./job-loader.ts";
import { publish } from "./publisher.ts";
import type { ResultToSend } from "./user-routes.ts";

/**
 * A model of a job, for a user who asked.
 * @param wanted absent: the newest
 * @throws JobError `ERR_JOB_INVALID` when that version is not kept
 */
export async function loadResult(
  record: JobRecord,
  wanted: ResultRequest["version"],
  modules: JobModules,
): Promise<ResultToSend> {
  const { jobId } = record;
  const { payload: encoded } = await readStoredObject(record, modules);
  const payload = parseJobPayload(decode(encoded, modules.registry));
  const { tensors } = layoutOfTable(payload.parameters);
  const { version, checkpoint } = await storedModel(record, wanted, modules);
  const blob = await modules.checkpoints.published(checkpoint);
  const options = { jobId, kind: "model", version, blob, tensors } as const;
  return { version, tensors, published: await publish(options, modules, modules) };
}

async function storedModel(
  { jobId, last, best, initialModel }: JobRecord,
  wanted: ResultRequest["version"],
  { jobs }: JobModules,
): Promise<StoredModel> {
  if (wanted === undefined) return last;
  if (wanted === "best") return best ?? last;
  const first = { version: 0, checkpoint: initialModel };
  const kept = [last, first, ...(best === undefined ? [] : [best]), ...(await jobs.models(jobId))];
  const found = kept.find(({ version }) => version === wanted);
  if (found === undefined) throw new JobError("ERR_JOB_INVALID", `version ${wanted} is not kept`);
  return found;
}
