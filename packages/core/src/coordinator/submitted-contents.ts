import { equalBytes, toHex } from "../bytes/index.ts";
import { JobError, WireError } from "../errors/index.ts";
import type { JobPayload } from "../job/index.ts";
import type { Session } from "../session/index.ts";
import type { StreamManifest } from "../stream/index.ts";
import type { JobModules } from "./job-context.ts";
import type { Staged, UploadId } from "./kept-uploads.ts";
import type { MessageIdentity } from "./message-identity.ts";
import { comeBackAfter, receiveStream } from "./receive-stream.ts";

/** How long the chunks of a submission are kept whose user has lost the session. */
export const SUBMISSION_KEPT_MS = 300_000;

/** The graph or the parameters of a job: what its signed object says of them, and the stream that brings them. */
export interface SubmittedContent {
  /** As the submit announced it. */
  readonly manifest: StreamManifest;
  /** As the signed job names it. */
  readonly expected: JobPayload["graph"];
}

/** Whose submission it is. */
export interface SubmissionOrigin {
  /** The user's session. */
  readonly session: Session;
  /** SAN URI of the user. */
  readonly urn: string;
  /** The message that submits. */
  readonly message: MessageIdentity;
  /** The job. */
  readonly jobId: string;
  /** Aborted when the session or the process ends. */
  readonly signal: AbortSignal;
}

/** How sealed blobs of a job are cut. */
export interface ContentForm {
  /** Of the job. */
  readonly chunkBytes: number;
}

/**
 * Receives what belongs to a job, one stream after another, each in a staging slot that it leaves to others once it is
 * whole; then stores all of it. When the session ends in between, what came is kept for the message sent again.
 * @returns names of the sealed blobs
 * @throws JobError `ERR_JOB_INVALID`; WireError `ERR_GOING_AWAY`, `ERR_UPLOAD_SLOW` when the user is to come back; the signal's reason
 */
export async function receiveContents(
  contents: readonly SubmittedContent[],
  origin: SubmissionOrigin & ContentForm,
  modules: JobModules,
): Promise<readonly string[]> {
  for (const { manifest, expected } of contents) {
    if (manifest.totalBytes === expected.byteLength) continue;
    const problem = `the job names ${expected.byteLength} bytes (got ${manifest.totalBytes})`;
    throw new JobError("ERR_JOB_INVALID", problem);
  }
  const streams = new Set(contents.map(({ manifest }) => toHex(manifest.streamId)));
  if (streams.size < contents.length) {
    throw new JobError("ERR_JOB_INVALID", "each stream of a submission has an id of its own");
  }
  const names: string[] = [];
  try {
    for (const { manifest } of contents) await receive(manifest, origin, modules);
    for (const content of contents) names.push(await store(content, origin, modules));
    return names;
  } catch (error) {
    for (const name of names) await modules.checkpoints.delete(name);
    const isOver = !origin.signal.aborted && !isToComeBack(error);
    if (isOver) {
      for (const { manifest } of contents) await modules.uploads.dropUpload(uploadId(manifest, origin));
    }
    throw error;
  }
}

/** True when the session's end tells the user what to do: to come back. */
export function isToComeBack(error: unknown): boolean {
  return error instanceof WireError && (error.code === "ERR_GOING_AWAY" || error.code === "ERR_UPLOAD_SLOW");
}

/** The chunks that are missing; all of them are then kept. */
async function receive(
  manifest: StreamManifest,
  origin: SubmissionOrigin,
  { uploads, clock }: JobModules,
): Promise<void> {
  const { session, signal } = origin;
  const id = uploadId(manifest, origin);
  const staged = await uploads.begin(id, signal);
  const before = staged.received.count;
  try {
    await receiveStream(session, manifest, { ...staged, clock, signal });
  } catch (error) {
    const comeBack = comeBackAfter(error, staged.received.count - before);
    if (comeBack === undefined && !signal.aborted) {
      staged.slot.release();
      throw error;
    }
    uploads.keep(id, staged, SUBMISSION_KEPT_MS);
    if (comeBack === undefined) throw error;
    void session.close(comeBack.code, comeBack.detail);
    throw new WireError(comeBack.code, comeBack.detail);
  }
  uploads.keep(id, staged, SUBMISSION_KEPT_MS);
}

/** @returns name of the sealed blob */
async function store(
  { manifest, expected }: SubmittedContent,
  origin: SubmissionOrigin & ContentForm,
  { uploads, crypto, checkpoints, project }: JobModules,
): Promise<string> {
  const { chunkBytes, signal } = origin;
  const id = uploadId(manifest, origin);
  const staged: Staged = await uploads.begin(id, signal);
  const { slot, received } = staged;
  try {
    // What had to give its slot up and could not be saved.
    if (!received.isComplete)
      throw new JobError("ERR_CHECKPOINT_UNREADABLE", "what came was lost; submit again");
    if (!equalBytes(await crypto.sha256(slot.bytes), expected.digest)) {
      throw new JobError("ERR_JOB_INVALID", "what came is not what the job names");
    }
    return await checkpoints.putPublished(slot.bytes, { project, chunkBytes });
  } finally {
    slot.release();
  }
}

/** A stream of a submission stands where the task stands for the uploads of sites: each is kept for itself. */
function uploadId(manifest: StreamManifest, { urn, message, jobId }: SubmissionOrigin): UploadId {
  const streamId = toHex(manifest.streamId);
  return { urn, ...message, jobId, taskId: streamId, streamId, manifest, turn: "" };
}
