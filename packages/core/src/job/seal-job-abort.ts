import type { Bytes } from "../bytes/index.ts";
import { builtInRegistry, encode } from "../decomposer/index.ts";
import { AUDIENCE_ALL, MAX_COMMAND_LIFETIME_MS, sealObject } from "../envelope/index.ts";
import { type JobAbortOrder, OBJECT_TYPES } from "../message/index.ts";
import type { Identity } from "../pki/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";

/** What {@link sealJobAbort} works with. */
export interface SealJobAbortModules {
  /** The user who gives the order. */
  readonly identity: Identity;
  /** Signs. */
  readonly crypto: CryptoProvider;
  /** Time of issue. */
  readonly clock: Pick<Clock, "now">;
}

/** Signs the end of a job, for ten minutes: the server obeys it, and relays it so that sites see who gave it. */
export async function sealJobAbort(
  order: JobAbortOrder,
  { identity, crypto, clock }: SealJobAbortModules,
): Promise<Bytes> {
  return await sealObject(
    {
      objectType: OBJECT_TYPES.jobAbort,
      audience: AUDIENCE_ALL,
      issuedAt: Math.trunc(clock.now()),
      lifetimeMs: MAX_COMMAND_LIFETIME_MS,
      payload: encode(order, builtInRegistry()),
    },
    { identity, crypto },
  );
}
