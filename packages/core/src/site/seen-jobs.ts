import type { Bytes } from "../bytes/index.ts";
import { type LastingObjects, memoryReplayStore, type ObjectReplayStore } from "../envelope/index.ts";
import { OBJECT_TYPES } from "../message/index.ts";
import type { Clock } from "../platform/index.ts";

/**
 * Kinds that a site which was started again needs once more. A job's end is what lasts, a publication has no effect, and of
 * the decisions about a certificate the latest holds.
 */
const TAKEN_AGAIN: ReadonlySet<number | undefined> = new Set<number>([
  OBJECT_TYPES.job,
  OBJECT_TYPES.publication,
  OBJECT_TYPES.suspension,
  OBJECT_TYPES.resumption,
]);

/**
 * What the sessions of a site ask: while it runs, nothing that was handled is handled again. What has its effect at
 * once, and every counter, is remembered beyond the process.
 *
 * @param lasting absent: nothing is remembered beyond the process
 */
export function siteReplayStore(
  lasting: LastingObjects | undefined,
  { clock }: { readonly clock: Clock },
): ObjectReplayStore {
  const memory = memoryReplayStore({ clock });
  if (lasting === undefined) return memory;
  return {
    digestOf: async (objectId: Bytes) =>
      (await memory.digestOf(objectId)) ?? (await lasting.digestOf(objectId)),
    lastCounter: (signer, objectType) => lasting.lastCounter(signer, objectType),
    async record(object) {
      await memory.record(object);
      if (!TAKEN_AGAIN.has(object.objectType)) await lasting.record(object);
    },
  };
}
