import type { AuditNote } from "../audit/index.ts";
import { toHex } from "../bytes/index.ts";
import type { Session } from "../session/index.ts";

/** Who was admitted, for the audit. */
export const loginRecord = ({ peer, id }: Session): AuditNote => ({
  actor: `${toHex(peer.leafDigest)} ${peer.name}`,
  action: "login",
  object: peer.role,
  outcome: "accepted",
  correlation: toHex(id),
});
