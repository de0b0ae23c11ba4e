import { equalBytes, toHex } from "../bytes/index.ts";
import { decode } from "../decomposer/index.ts";
import { JobError } from "../errors/index.ts";
import { type JobPayload, type JobRecord, parseJobPayload } from "../job/index.ts";
import { type JobSource, MAX_SOURCE_BYTES } from "../message/index.ts";
import type { Session } from "../session/index.ts";
import type { ParameterDescriptor } from "../tensor/index.ts";
import type { JobModules } from "./job-context.ts";
import { readStoredObject } from "./job-loader.ts";
import { useJobRight } from "./job-rights.ts";

/** What the submitter of a job signed, for somebody who may clone it. @throws JobError `ERR_JOB_INVALID`, `ERR_CHECKPOINT_UNREADABLE` */
export async function signedSource(record: JobRecord, modules: JobModules): Promise<JobSource> {
  const { object, chain } = await readStoredObject(record, modules);
  if (object.byteLength > MAX_SOURCE_BYTES) {
    throw new JobError("ERR_JOB_INVALID", `a job object of ${object.byteLength} bytes cannot be cloned`);
  }
  return { jobId: record.jobId, object, chain };
}

/** A clone that is handed in. */
export interface Clone {
  /** Its own id. */
  readonly jobId: string;
  /** What the cloner signed. */
  readonly payload: JobPayload;
  /** Of the cloner. */
  readonly session: Session;
  /** Aborted when the session or the process ends. */
  readonly signal: AbortSignal;
}

/**
 * Copies graph and initial parameters of the job that a clone names: each job owns what is kept of it, so that one is deleted without
 * the other. One blob at a time is in memory, in a staging slot.
 * @returns names of the sealed blobs
 * @throws JobError `ERR_JOB_INVALID`, `ERR_JOB_UNKNOWN`, `ERR_JOB_DELETED`, `ERR_CHECKPOINT_UNREADABLE`; AuthorizationError
 *   `ERR_FORBIDDEN`; the signal's reason
 */
export async function cloneContents(clone: Clone, modules: JobModules): Promise<readonly string[]> {
  const { payload, session } = clone;
  const { clonedFrom } = payload;
  // [W-196]
  if (clonedFrom === undefined) throw new JobError("ERR_JOB_INVALID", "clonedFrom must be given");
  const { jobs, audit, authorizer, studies, plugins } = modules;
  const { peer } = session;
  const recordedAs = `${toHex(peer.leafDigest)} ${peer.name}`;
  await useJobRight(
    { actor: peer, recordedAs, right: "clone", jobId: clonedFrom },
    { find: (jobId) => jobs.find(jobId), audit, authorizer, studies, plugins },
  );
  const source = await jobs.get(clonedFrom);
  if (source.study !== payload.definition.study)
    throw new JobError(
      "ERR_JOB_INVALID",
      "study: a clone is of the study of the job that it was cloned from",
    );
  const { payload: signed } = await readStoredObject(source, modules);
  requireSameModel(payload, parseJobPayload(decode(signed, modules.registry)));
  const names: string[] = [];
  try {
    for (const name of [source.graph, source.initialModel]) names.push(await copy(name, clone, modules));
    return names;
  } catch (error) {
    for (const name of names) await modules.checkpoints.delete(name);
    throw error;
  }
}

/** [W-197] What a clone has of the other job is what that job's submitter signed. */
function requireSameModel(clone: JobPayload, source: JobPayload): void {
  for (const field of ["graph", "initialParameters"] as const) {
    if (equalBytes(clone[field].digest, source[field].digest)) continue;
    throw new JobError("ERR_JOB_INVALID", `${field}: a clone has those of the job that it was cloned from`);
  }
  if (textOf(clone.parameters) === textOf(source.parameters)) return;
  throw new JobError(
    "ERR_JOB_INVALID",
    "parameters: a clone has the table of the job that it was cloned from",
  );
}

const textOf = (table: readonly ParameterDescriptor[]): string =>
  JSON.stringify(table.map(({ name, dtype, shape, trainable }) => [name, dtype, shape, trainable]));

async function copy(
  name: string,
  { jobId, payload, signal }: Clone,
  { checkpoints, slots, project }: JobModules,
): Promise<string> {
  const slot = await slots.acquire(jobId, await checkpoints.size(name), signal);
  try {
    const { chunkBytes } = payload.definition;
    return await checkpoints.putPublished(await checkpoints.get(name, slot.bytes), { project, chunkBytes });
  } finally {
    slot.release();
  }
}
