import { createPublicKey, KeyObject } from "node:crypto";
import { type Bytes, equalBytes, fromHex, toBytes } from "@photinus/core/bytes";
import { PkiError, type PkiErrorCode } from "@photinus/core/errors";
import type { SignatureAlgorithm } from "@photinus/core/platform";

/** What a private key of this provider's handle holds; structured-clonable to worker threads. */
export interface PrivateHandle {
  /** Node's key object. */
  readonly key: KeyObject;
  /** Whether `exportSigningKey` may hand it out. Node itself does not enforce this; the provider does. */
  readonly extractable: boolean;
}

/** @throws TypeError when another provider made the handle */
export function privateHandle(handle: unknown): PrivateHandle {
  const isOurs =
    typeof handle === "object" && handle !== null && "key" in handle && handle.key instanceof KeyObject;
  if (!isOurs || !("extractable" in handle)) throw foreignKey();
  return handle as PrivateHandle; // both fields were checked
}

/** @throws TypeError when another provider made the handle */
export function keyObject(handle: unknown): KeyObject {
  if (!(handle instanceof KeyObject)) throw foreignKey();
  return handle;
}

/** What misuse of a key by our caller is answered with. */
export function foreignKey(): TypeError {
  return new TypeError("the key was made by another crypto provider than node:crypto");
}

/** SubjectPublicKeyInfo of the public half, DER. */
export function publicKeyOf(privateKey: KeyObject): Bytes {
  return spkiOf(createPublicKey(privateKey));
}

/** SubjectPublicKeyInfo of a public key, DER. */
export function spkiOf(publicKey: KeyObject): Bytes {
  return toBytes(publicKey.export({ type: "spki", format: "der" }));
}

/** SubjectPublicKeyInfo of an uncompressed point of P-256 (RFC 5480) up to the 64 bytes of its coordinates. */
const P256_PREFIX = fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");

/** @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` when the bytes are no public key, or not a supported one */
export function importPublicKey(spki: Bytes): KeyObject {
  try {
    const point = spki.subarray(P256_PREFIX.length);
    // Nearly every key is of this form, which OpenSSL takes from its coordinates in half the time.
    if (point.length === 64 && equalBytes(spki.subarray(0, P256_PREFIX.length), P256_PREFIX)) {
      const [x, y] = [coordinate(point, 0), coordinate(point, 32)];
      return createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
    }
    return createPublicKey({
      key: Buffer.from(spki.buffer, spki.byteOffset, spki.length),
      format: "der",
      type: "spki",
    });
  } catch (cause) {
    throw new PkiError("ERR_CERTIFICATE_UNSUPPORTED", "not a public key that is supported", { cause });
  }
}

function coordinate(point: Bytes, offset: number): string {
  return Buffer.from(point.buffer, point.byteOffset + offset, 32).toString("base64url");
}

const CURVES = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" } as const;

/** A curve by its name in WebCrypto. */
export type CurveName = keyof typeof CURVES;

/** What a key has to be: an elliptic curve, or RSA of 2048 to 4096 bits. */
export type KeyKind = CurveName | "RSA";

/** The kind of key that a signature algorithm takes. */
export function kindOf(algorithm: SignatureAlgorithm): KeyKind {
  switch (algorithm) {
    case 1:
      return "P-256";
    case 2:
      return "RSA";
    case 3:
      return "P-384";
  }
}

/** @throws PkiError with `code` when the key is of another kind */
export function requireKind(key: KeyObject, kind: KeyKind, code: PkiErrorCode): void {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (kind === "RSA") {
    // Less than 2048 bits is weak, more than 4096 lets a peer burn our time.
    if (key.asymmetricKeyType === "rsa" && modulusLength >= 2048 && modulusLength <= 4096) return;
    throw new PkiError(code, `expected an RSA key of 2048 to 4096 bits, got ${describe(key)}`);
  }
  if (key.asymmetricKeyType === "ec" && namedCurve === CURVES[kind]) return;
  throw new PkiError(code, `expected a ${kind} key, got ${describe(key)}`);
}

function describe(key: KeyObject): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  return [key.asymmetricKeyType, namedCurve, modulusLength].filter((part) => part !== undefined).join(" ");
}
