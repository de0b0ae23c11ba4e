import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

/** SHA-256. */
export const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part);
  return digest.digest();
};

/** HMAC-SHA256. */
export const hmac = (key: Buffer, data: Buffer): Buffer => createHmac("sha256", key).update(data).digest();

/** AES-256-GCM: ciphertext ‖ tag. */
export function seal(key: Buffer, iv: Buffer, plaintext: Buffer, aad: Buffer): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The plaintext, or `undefined` when it does not authenticate. */
export function open(key: Buffer, iv: Buffer, sealed: Buffer, aad: Buffer): Buffer | undefined {
  if (sealed.length < 16) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, iv).setAAD(aad).setAuthTag(sealed.subarray(-16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
  } catch {
    return undefined; // GCM says no more than that
  }
}

const X25519_PRIVATE = Buffer.from("302e020100300506032b656e04220420", "hex");
const X25519_PUBLIC = Buffer.from("302a300506032b656e032100", "hex");

/** An X25519 key of 32 raw bytes. */
export function agreementKey(raw: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([X25519_PRIVATE, raw]), format: "der", type: "pkcs8" });
}

/** The 32 bytes of the public half. */
export function publicBytes(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
}

/** X25519; throws for a secret of zeros. */
export function agree(privateKey: KeyObject, peer: Buffer): Buffer {
  const publicKey = createPublicKey({
    key: Buffer.concat([X25519_PUBLIC, peer]),
    format: "der",
    type: "spki",
  });
  return diffieHellman({ privateKey, publicKey });
}

const HASHES: Readonly<Record<number, string>> = { 1: "sha256", 3: "sha384" };
const CURVES: Readonly<Record<string, number>> = { prime256v1: 1, secp384r1: 3 };

/** The algorithm of a key by its number on the wire. */
export function algorithmOf(key: KeyObject): number | undefined {
  return CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
}

/** True when `signature` (r ‖ s) is that of `key`, with the algorithm that the sender names. */
export function isSigned(key: KeyObject, algorithm: number, signature: Buffer, data: Buffer): boolean {
  if (algorithm !== algorithmOf(key)) return false;
  return verify(HASHES[algorithm], data, { key, dsaEncoding: "ieee-p1363" }, signature);
}

/** r ‖ s. */
export function signBy(key: KeyObject, data: Buffer): Buffer {
  return sign(HASHES[algorithmOf(key) ?? 0], data, { key, dsaEncoding: "ieee-p1363" });
}
