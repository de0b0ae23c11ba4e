import type { Bytes } from "../bytes/index.ts";
import { builtInRegistry, decode, encode } from "../decomposer/index.ts";
import { AUDIENCE_ALL, sealObject, type VerifiedObject } from "../envelope/index.ts";
import { type CertificateOrder, OBJECT_TYPES, parseCertificateOrder } from "../message/index.ts";
import type { Identity, RevocationLists, SuspensionDecision } from "../pki/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";

/** Longest suspension (protocol, section 8): the revocation list follows in this time. */
export const MAX_SUSPENSION_MS: number = 7 * 86_400_000;

/** True for a suspension and its end, which every participant takes. */
export function isSuspensionObject({ objectType }: Pick<VerifiedObject, "objectType">): boolean {
  return objectType === OBJECT_TYPES.suspension || objectType === OBJECT_TYPES.resumption;
}

function suspensionDecision(object: VerifiedObject): SuspensionDecision {
  const { leaf, name, org, role, reason } = parseCertificateOrder(decode(object.payload, builtInRegistry()));
  return {
    leafDigest: leaf,
    name,
    org,
    role,
    kind: object.objectType === OBJECT_TYPES.suspension ? "suspend" : "resume",
    issuedAtMs: object.issuedAt,
    untilMs: object.expiresAt,
    reason,
    by: object.signer.name,
    object: object.bytes,
    signerChain: object.signer.chain,
  };
}

/**
 * Takes a verified suspension, or its end.
 * @returns false when it changes nothing
 * @throws MessageError `ERR_MESSAGE_MALFORMED`
 */
export async function takeSuspension(object: VerifiedObject, revocations: RevocationLists): Promise<boolean> {
  return await revocations.suspensions.take(suspensionDecision(object));
}

/** What {@link sealSuspension} signs. */
export interface SuspensionOrder extends CertificateOrder {
  /** It counts no more, or counts again. */
  readonly kind: "suspend" | "resume";
  /** How long it counts no more, ms; default and most 7 days. */
  readonly lifetimeMs?: number;
}

/**
 * Signs a suspension, or its end, for everybody. The end has to outlive whatever it ends, so it always lasts 7 days.
 * @throws RangeError for a longer one
 */
export async function sealSuspension(
  { kind, lifetimeMs = MAX_SUSPENSION_MS, ...order }: SuspensionOrder,
  { identity, crypto, clock }: SealSuspensionModules,
): Promise<Bytes> {
  if (!(lifetimeMs > 0 && lifetimeMs <= MAX_SUSPENSION_MS))
    throw new RangeError("a suspension lasts up to 7 days");
  return await sealObject(
    {
      objectType: kind === "suspend" ? OBJECT_TYPES.suspension : OBJECT_TYPES.resumption,
      audience: AUDIENCE_ALL,
      issuedAt: Math.trunc(clock.now()),
      lifetimeMs: kind === "suspend" ? lifetimeMs : MAX_SUSPENSION_MS,
      payload: encode(order, builtInRegistry()),
    },
    { identity, crypto },
  );
}

/** What {@link sealSuspension} works with. */
export interface SealSuspensionModules {
  /** An administrator of the project. */
  readonly identity: Identity;
  /** Signs. */
  readonly crypto: CryptoProvider;
  /** Time of issue. */
  readonly clock: Pick<Clock, "now">;
}
