import * as v from "valibot";
import { type Bytes, fromBase64, toBase64 } from "../bytes/index.ts";
import { decode } from "../decomposer/index.ts";
import {
  decodeRecord,
  encodeRecord,
  type JobPayload,
  type JobRecord,
  jobFacts,
  layoutOfChange,
  layoutOfTable,
  layoutOfUpdate,
  parseJobPayload,
} from "../job/index.ts";
import { applyObservation, hasJobEnded, type JobView } from "../message/index.ts";
import type { JobFacts } from "../plugin/index.ts";
import { JobBoard, loadJobView } from "./job-board.ts";
import type { JobModules } from "./job-context.ts";
import { JobRun } from "./job-run.ts";
import { JobSites } from "./job-sites.ts";
import { ObservationLog } from "./observation-log.ts";

/** What is kept of a job OBJECT: the very bytes that were signed, with the signer's chain. */
export interface StoredObject {
  /** The OBJECT frame. */
  readonly object: Bytes;
  /** Its payload, decoded again at each start. */
  readonly payload: Bytes;
  /** DER certificates, leaf first. */
  readonly chain: readonly Bytes[];
}

const text = v.pipe(v.string(), v.maxLength(2_000_000));
const StoredSchema = v.strictObject({
  object: text,
  payload: text,
  chain: v.pipe(v.array(text), v.maxLength(4)),
});

/** @returns bytes for a sealed blob */
export function encodeStoredObject({ object, payload, chain }: StoredObject): Bytes {
  return encodeRecord({ object: toBase64(object), payload: toBase64(payload), chain: chain.map(toBase64) });
}

/** The job OBJECT of a record. @throws StorageError `ERR_STORAGE_CORRUPT`, JobError `ERR_CHECKPOINT_UNREADABLE` */
export async function readStoredObject(
  { object: name }: JobRecord,
  { checkpoints }: Pick<JobModules, "checkpoints">,
): Promise<StoredObject> {
  const { object, payload, chain } = decodeRecord(StoredSchema, await checkpoints.get(name), name);
  return { object: fromBase64(object), payload: fromBase64(payload), chain: chain.map(fromBase64) };
}

/** How jobs are opened. */
export interface LoadOptions {
  /** Increments that each observation log holds. */
  readonly observationBuffer: number;
}

/** Everything of a stored job that its run needs. @throws JobError, StorageError when what is stored does not open */
export async function loadJob(record: JobRecord, options: LoadOptions, modules: JobModules): Promise<JobRun> {
  const { object, payload: encoded, chain } = await readStoredObject(record, modules);
  const payload = parseJobPayload(decode(encoded, modules.registry));
  const log = await openLog(record, payload, { options, modules });
  const board = new JobBoard(log, modules.jobs);
  const stop = new AbortController();
  const context = {
    jobId: record.jobId,
    payload,
    facts: factsOf(record, payload),
    object,
    submitterChain: chain,
    modelLayout: layoutOfTable(payload.parameters),
    changeLayout: layoutOfChange(payload),
    updateLayout: layoutOfUpdate(payload),
    board,
    sites: new JobSites(board),
    modules,
    signal: stop.signal,
  };
  return new JobRun(record, context, stop);
}

/** What plug-ins are told of a stored job. */
export function factsOf(
  { jobId, submitter }: Pick<JobRecord, "jobId" | "submitter">,
  { definition, initialParameters }: Pick<JobPayload, "definition" | "initialParameters">,
): JobFacts {
  const { name, role, org, leafDigest: certificate } = submitter;
  const modelBytes = initialParameters.byteLength;
  return jobFacts({ jobId, definition, submitter: { name, role, org, certificate }, modelBytes });
}

/** The log of a job that has ended: what was kept of it. */
export async function loadEndedLog(
  record: JobRecord,
  options: LoadOptions,
  modules: JobModules,
): Promise<ObservationLog | undefined> {
  const view = await loadJobView(modules.jobs, record.jobId);
  const hasEnded = hasJobEnded(record.state);
  if (view === undefined && !hasEnded) return undefined;
  const shown = view ?? firstView(record);
  const log = new ObservationLog(hasEnded ? asEnded(shown, record) : shown, logOptions(options, modules));
  log.end();
  return log;
}

async function openLog(
  record: JobRecord,
  payload: JobPayload,
  { options, modules }: { readonly options: LoadOptions; readonly modules: JobModules },
): Promise<ObservationLog> {
  const kept = await loadJobView(modules.jobs, record.jobId);
  const view = kept === undefined ? firstView(record, payload) : withoutSessions(kept);
  return new ObservationLog(view, logOptions(options, modules));
}

const logOptions = ({ observationBuffer }: LoadOptions, { clock }: JobModules) => ({
  capacity: observationBuffer,
  firstSequence: Math.trunc(clock.now()),
});

/** The end as the record has it: a process that dies there, or a job that never ran, leaves no view that tells it. */
function asEnded(view: JobView, { state, reason, end, endedAtMs, submittedAtMs }: JobRecord): JobView {
  const told = end === undefined ? {} : { end };
  return applyObservation(view, { kind: "job", state, reason, atMs: endedAtMs ?? submittedAtMs, ...told });
}

/** @param payload absent: what was handed in is not opened; the least that a job may ask stands in its place */
function firstView(record: JobRecord, payload?: JobPayload): JobView {
  const { purpose = "", workflow } = payload?.definition ?? {};
  return {
    jobId: record.jobId,
    name: record.name,
    purpose,
    state: record.state,
    reason: record.reason,
    rounds: workflow?.rounds ?? 1,
    minimumSites: workflow?.minimumSites ?? 1,
    startedAtMs: record.submittedAtMs,
    modelBytes: payload?.initialParameters.byteLength ?? 0,
    sites: [],
    history: [],
  };
}

/** After a restart no site is connected, whatever was kept. */
function withoutSessions(view: JobView): JobView {
  return { ...view, sites: view.sites.map((site) => ({ ...site, phase: "disconnected", progress: 0 })) };
}
