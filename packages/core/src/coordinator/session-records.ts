import type { AuditLog, AuditNote } from "../audit/index.ts";
import { concatBytes, toBase64Url, toHex } from "../bytes/index.ts";
import type { Session } from "../session/index.ts";
import { readFrame } from "../wire/index.ts";

/** Who was admitted, for the audit. */
export function loginRecord(session: Session): AuditNote {
  return { ...recordOf(session), action: "login", outcome: "accepted" };
}

/**
 * Keeps what the peer signed of its messages: the signature covers S("checkpoint", frame). A session that ended before
 * its first CHECKPOINT leaves nothing.
 */
export async function recordCheckpoint(session: Session, audit: AuditLog): Promise<void> {
  if (session.evidence === undefined) return;
  const { prefix, header, tag } = readFrame(session.evidence);
  const details = { frame: toBase64Url(concatBytes(prefix, header)), signature: toBase64Url(tag) };
  await audit.record({ ...recordOf(session), action: "checkpoint", outcome: "done", details });
}

function recordOf({ peer, id }: Session): Pick<AuditNote, "actor" | "object" | "correlation"> {
  return {
    actor: `${toHex(peer.leafDigest)} ${peer.name}`,
    object: peer.role,
    correlation: toHex(id),
  };
}
