import type { Bytes } from "../bytes/index.ts";
import { builtInRegistry, encode } from "../decomposer/index.ts";
import { AUDIENCE_ALL, MAX_COMMAND_LIFETIME_MS, sealObject } from "../envelope/index.ts";
import { type JobAbortOrder, type JobDeletionOrder, OBJECT_TYPES } from "../message/index.ts";
import type { Identity } from "../pki/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";

/** What orders about jobs are signed with. */
export interface SealJobAbortModules {
  /** The user who gives the order. */
  readonly identity: Identity;
  /** Signs. */
  readonly crypto: CryptoProvider;
  /** Time of issue. */
  readonly clock: Pick<Clock, "now">;
}

/** Signs the end of a job, for ten minutes: the server obeys it, and relays it so that sites see who gave it. */
export async function sealJobAbort(order: JobAbortOrder, modules: SealJobAbortModules): Promise<Bytes> {
  return await sealOrder(OBJECT_TYPES.jobAbort, order, modules);
}

/** Signs that a job is to be deleted, for ten minutes. */
export async function sealJobDeletion(order: JobDeletionOrder, modules: SealJobAbortModules): Promise<Bytes> {
  return await sealOrder(OBJECT_TYPES.jobDeletion, order, modules);
}

async function sealOrder(
  objectType: number,
  { jobId, reason }: JobAbortOrder | JobDeletionOrder,
  { identity, crypto, clock }: SealJobAbortModules,
): Promise<Bytes> {
  return await sealObject(
    {
      objectType,
      audience: AUDIENCE_ALL,
      issuedAt: Math.trunc(clock.now()),
      lifetimeMs: MAX_COMMAND_LIFETIME_MS,
      payload: encode({ jobId, reason }, builtInRegistry()),
    },
    { identity, crypto },
  );
}
