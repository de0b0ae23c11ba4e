import type { LastingObjects, ObjectReplayStore } from "../../envelope/index.ts";
import { OBJECT_TYPES } from "../../message/index.ts";

/** Orders that have their effect once. Of suspensions the latest holds, and a job is refused by its own record. */
const ONCE: ReadonlySet<number | undefined> = new Set<number>([
  OBJECT_TYPES.invite,
  OBJECT_TYPES.inviteWithdrawal,
  OBJECT_TYPES.requestDecision,
  OBJECT_TYPES.certificateRevocation,
  OBJECT_TYPES.jobAbort,
]);

/** What the sessions of a server ask: no order has its effect again, in whatever session or process it comes. */
export function orderReplayStore(lasting: LastingObjects, perSession: ObjectReplayStore): ObjectReplayStore {
  return {
    digestOf: async (objectId) => (await perSession.digestOf(objectId)) ?? (await lasting.digestOf(objectId)),
    lastCounter: (signer, objectType) => lasting.lastCounter(signer, objectType),
    record: (object) => (ONCE.has(object.objectType) ? lasting.record(object) : perSession.record(object)),
  };
}
