import { toHex } from "../bytes/index.ts";
import { EnvelopeError, isErrorCode, MessageError, WireError } from "../errors/index.ts";
import type { ReceivedMessage } from "../session/index.ts";
import type { ContributionProblem } from "./check-contribution.ts";
import type { LiveSite } from "./live-site.ts";

/** A signed message as it is told apart from others, whatever session brings it. */
export interface MessageIdentity {
  /** Hex. */
  readonly messageId: string;
  /** SHA-256 of the payload, hex. */
  readonly payloadDigest: string;
}

/** @throws MessageError `ERR_TYPE_UNKNOWN` for a message without a signature, which a route never gets */
export function identityOf({ messageId, payloadDigest }: ReceivedMessage): MessageIdentity {
  if (payloadDigest === undefined) throw new MessageError("ERR_TYPE_UNKNOWN", "the message is not signed");
  return { messageId: toHex(messageId), payloadDigest: toHex(payloadDigest) };
}

/**
 * A message that is sent again is the same message.
 * @throws EnvelopeError `ERR_ENVELOPE_REPLAYED`
 */
export function requireSame(payloadDigest: string | undefined, message: MessageIdentity): void {
  // [W-123]
  if (payloadDigest === undefined || payloadDigest === message.payloadDigest) return;
  throw new EnvelopeError("ERR_ENVELOPE_REPLAYED", "another message was sent under this id");
}

/** Why a message of the site was refused, as an earlier process or session stored it. */
export function refusalOf({ record }: LiveSite, messageId: string): ContributionProblem | undefined {
  const stored = record.commits.find((entry) => entry.messageId === messageId);
  if (stored?.outcome !== "refused" || !isErrorCode(stored.code)) return undefined;
  return { code: stored.code, detail: stored.detail };
}

/** What an older session writes does not count; that it is one it may learn from this, when the newer is elsewhere. */
export async function endSuperseded({ session }: LiveSite, error: unknown): Promise<void> {
  if (!(error instanceof WireError) || error.code !== "ERR_SUPERSEDED") throw error;
  await session.close("ERR_SUPERSEDED", "a newer session of this participant took over");
}
