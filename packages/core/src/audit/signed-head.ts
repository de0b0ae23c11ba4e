import type { Bytes } from "../bytes/index.ts";
import { builtInRegistry, decode, encode } from "../decomposer/index.ts";
import { AUDIENCE_ALL, MAX_COMMAND_LIFETIME_MS, openObjectEvidence, sealObject } from "../envelope/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import { OBJECT_TYPES, parseSignedAuditHead } from "../message/index.ts";
import type { Identity } from "../pki/index.ts";
import type { Clock, CryptoProvider, VerifyingKey } from "../platform/index.ts";
import type { AuditHead } from "./chain.ts";

/** What {@link sealAuditHead} works with. */
export interface SealAuditHeadModules {
  /** Whose chain it is. */
  readonly identity: Identity;
  /** Signs. */
  readonly crypto: CryptoProvider;
  /** Time of issue. */
  readonly clock: Pick<Clock, "now">;
}

/** Signs where the own chain stands, for whoever is to witness it: at most `MAX_AUDIT_HEAD_BYTES`. */
export async function sealAuditHead(
  { count, hash }: AuditHead,
  { identity, crypto, clock }: SealAuditHeadModules,
): Promise<Bytes> {
  return await sealObject(
    {
      objectType: OBJECT_TYPES.auditHead,
      audience: AUDIENCE_ALL,
      issuedAt: Math.trunc(clock.now()),
      lifetimeMs: MAX_COMMAND_LIFETIME_MS,
      payload: encode({ count, hash }, builtInRegistry()),
    },
    { identity, crypto },
  );
}

/** A head that its signer cannot take back. */
export interface AuditEvidence extends AuditHead {
  /** When it was signed, ms since 1970. */
  readonly issuedAtMs: number;
}

/**
 * Reads a signed head that somebody kept, however old it is.
 * @param key of the one whose chain it is said to be
 * @throws EnvelopeError `ERR_ENVELOPE_SIGNATURE_INVALID` when that key did not sign it, `ERR_DIGEST_MISMATCH`;
 *   DecomposerError; MessageError `ERR_MESSAGE_MALFORMED`
 */
export async function openAuditEvidence(
  object: Bytes,
  key: VerifyingKey,
  crypto: CryptoProvider,
): Promise<AuditEvidence> {
  const evidence = await openObjectEvidence(object, key, crypto);
  if (evidence?.objectType !== OBJECT_TYPES.auditHead)
    throw new EnvelopeError(
      "ERR_ENVELOPE_SIGNATURE_INVALID",
      "no head of an audit chain that this key has signed",
    );
  const { count, hash } = parseSignedAuditHead(decode(evidence.payload, builtInRegistry()));
  return { count, hash, issuedAtMs: evidence.issuedAt };
}
