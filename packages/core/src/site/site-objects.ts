import { builtInRegistry, decode } from "../decomposer/index.ts";
import type { VerifiedObject } from "../envelope/index.ts";
import {
  type JobAbortOrder,
  OBJECT_TYPES,
  type Publication,
  parseJobAbortOrder,
  parsePublication,
} from "../message/index.ts";
import { isSuspensionObject } from "../session/index.ts";

/** What a site does with the objects that it is sent. */
export interface SiteObjectDesk {
  readonly suspension: (object: VerifiedObject) => Promise<void>;
  readonly publication: (publication: Publication) => void;
  /** @param payload decoded, not looked at yet */
  readonly job: (object: VerifiedObject, payload: unknown) => Promise<void>;
  readonly auditHead: (object: VerifiedObject) => Promise<void>;
  readonly abort: (object: VerifiedObject, order: JobAbortOrder) => Promise<void>;
}

/** Hands an object, whose signature has been verified, to where it belongs. */
export async function takeSiteObject(object: VerifiedObject, desk: SiteObjectDesk): Promise<void> {
  if (isSuspensionObject(object)) {
    await desk.suspension(object);
    return;
  }
  const payload = decode(object.payload, builtInRegistry());
  switch (object.objectType) {
    case OBJECT_TYPES.publication:
      desk.publication(parsePublication(payload));
      break;
    case OBJECT_TYPES.job:
      await desk.job(object, payload);
      break;
    case OBJECT_TYPES.auditHead:
      await desk.auditHead(object);
      break;
    case OBJECT_TYPES.jobAbort:
      await desk.abort(object, parseJobAbortOrder(payload));
  }
}
