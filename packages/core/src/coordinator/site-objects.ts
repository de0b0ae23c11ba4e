import { MessageError } from "../errors/index.ts";
import { OBJECT_TYPES } from "../message/index.ts";
import type { SessionHandler } from "../session/index.ts";
import type { Administration } from "./administration/administration.ts";
import type { AuditExchange } from "./audit-exchange.ts";

/** What a server does with the objects of sites: heads of audit chains, and invites for their further devices. */
export function siteObjects(
  exchange: AuditExchange,
  administration: Administration | undefined,
): NonNullable<SessionHandler["onObject"]> {
  return async (object, session) => {
    if (object.objectType === OBJECT_TYPES.auditHead) return await exchange.take(object, session);
    if (administration !== undefined) return await administration.take(object, session);
    throw new MessageError("ERR_TYPE_UNKNOWN", "objects are not expected here");
  };
}
