import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import { builtInRegistry, decode, encode } from "../decomposer/index.ts";
import { AUDIENCE_ALL, type ObjectRule, sealObject, type VerifiedObject } from "../envelope/index.ts";
import { SealingError } from "../errors/index.ts";
import type { Identity, Participant, Role } from "../pki/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { ENCAPSULATED_BYTES, KEM_X25519 } from "./hpke.ts";

/** Number of a key package among the kinds of OBJECT; never reused. */
export const KEY_PACKAGE_TYPE = 3;
/** Longest life of a key package: seven days. */
export const MAX_KEY_PACKAGE_LIFETIME_MS: number = 7 * 86_400_000;
/** Whom content is sealed for where an option does not say otherwise. */
export const DEFAULT_SEALING_ROLES: readonly Role[] = ["site"];

/** A public key to seal content with, and whose it is. */
export interface KeyPackage {
  /** Id of the object that brought it: 16 bytes. */
  readonly packageId: Bytes;
  /** Whose it is, from the certificate. */
  readonly owner: Participant;
  /** X25519: 32 bytes. */
  readonly publicKey: Bytes;
  /** ms since 1970 on the owner's clock. */
  readonly issuedAt: number;
  /** ms since 1970; later nothing is sealed with it. */
  readonly expiresAt: number;
}

/** What a receiver demands of key packages: a later one of the same certificate replaces an earlier. */
export function keyPackageRule(roles: readonly Role[] = DEFAULT_SEALING_ROLES): ObjectRule {
  return { signers: roles, maximumLifetimeMs: MAX_KEY_PACKAGE_LIFETIME_MS, counted: true };
}

const PayloadSchema = v.strictObject({
  kem: v.literal(KEM_X25519),
  publicKey: v.custom<Bytes>(
    (value) => value instanceof Uint8Array && value.byteLength === ENCAPSULATED_BYTES,
    "32 bytes",
  ),
});

/** What {@link signKeyPackage} signs. */
export interface KeyPackageToSign {
  /** X25519: 32 bytes. */
  readonly publicKey: Bytes;
  /** 16 bytes. */
  readonly packageId: Bytes;
  /** Above that of every package before. */
  readonly counter: number;
  /** ms since 1970 on the local clock. */
  readonly issuedAt: number;
  /** At most seven days, ms. */
  readonly lifetimeMs: number;
}

/** A key package as an OBJECT of its owner, for everybody in the project. */
export async function signKeyPackage(
  { publicKey, packageId, counter, issuedAt, lifetimeMs }: KeyPackageToSign,
  modules: { readonly identity: Identity; readonly crypto: CryptoProvider },
): Promise<Bytes> {
  if (!(lifetimeMs > 0 && lifetimeMs <= MAX_KEY_PACKAGE_LIFETIME_MS)) {
    throw new RangeError("a key package lives up to seven days");
  }
  const payload = encode({ kem: KEM_X25519, publicKey }, builtInRegistry());
  const object = { objectType: KEY_PACKAGE_TYPE, audience: AUDIENCE_ALL, objectId: packageId, payload };
  return await sealObject({ ...object, counter, issuedAt, lifetimeMs }, modules);
}

/**
 * The key package in an object that was verified by {@link keyPackageRule}.
 * @throws SealingError `ERR_KEY_PACKAGE_REFUSED`; DecomposerError `ERR_DECODE_REFUSED`
 */
export async function readKeyPackage(object: VerifiedObject, crypto: CryptoProvider): Promise<KeyPackage> {
  // [W-130]
  const parsed = v.safeParse(PayloadSchema, decode(object.payload, builtInRegistry()), { abortEarly: true });
  if (object.objectType !== KEY_PACKAGE_TYPE || !parsed.success) {
    throw new SealingError("ERR_KEY_PACKAGE_REFUSED", `not a key package (of ${object.signer.name})`);
  }
  const { publicKey } = parsed.output;
  // A point of low order would make a secret that everybody knows: found here, not when something is sealed with it.
  if ((await crypto.agree(await crypto.generateAgreementKey(), publicKey)) === undefined) {
    throw new SealingError(
      "ERR_KEY_PACKAGE_REFUSED",
      `the key of ${object.signer.name} is not one of X25519`,
    );
  }
  const { objectId: packageId, signer: owner, issuedAt, expiresAt } = object;
  return { packageId, owner, publicKey, issuedAt, expiresAt };
}
