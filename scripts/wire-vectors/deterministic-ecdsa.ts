import { createECDH, createHash, createHmac, createPrivateKey, createPublicKey } from "node:crypto";
import { type Bytes, toBytes } from "../../packages/core/src/bytes/index.ts";

/** A curve with the hash that it signs by. */
export interface SigningCurve {
  readonly openssl: "prime256v1" | "secp384r1";
  readonly jwk: "P-256" | "P-384";
  readonly hash: "sha256" | "sha384";
  /** Bytes of a scalar, and of the hash. */
  readonly size: 32 | 48;
  /** Order of the group (SP 800-186, section 3.2.1). */
  readonly order: bigint;
}

export const P256: SigningCurve = {
  openssl: "prime256v1",
  jwk: "P-256",
  hash: "sha256",
  size: 32,
  order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
};

export const P384: SigningCurve = {
  openssl: "secp384r1",
  jwk: "P-384",
  hash: "sha384",
  size: 48,
  order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
};

const toInteger = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
const toOctets = (value: bigint, size: number): Buffer =>
  Buffer.from(value.toString(16).padStart(2 * size, "0"), "hex");

/** The first coordinate of scalar · G. */
function xOf(curve: SigningCurve, scalar: Buffer): bigint {
  const agreement = createECDH(curve.openssl);
  agreement.setPrivateKey(scalar);
  return toInteger(agreement.getPublicKey().subarray(1, 1 + curve.size));
}

/** value ^ -1 mod order, by the little theorem of Fermat. */
function inverse(value: bigint, order: bigint): bigint {
  let [result, base, exponent] = [1n, value % order, order - 2n];
  for (; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % order;
    base = (base * base) % order;
  }
  return result;
}

/** The k of RFC 6979, section 3.2, the first one that is in range. */
function deterministicK(curve: SigningCurve, scalar: Buffer, digest: bigint): Buffer {
  const mac = (key: Buffer, ...parts: readonly Uint8Array[]): Buffer =>
    createHmac(curve.hash, key).update(Buffer.concat(parts)).digest();
  const seed = Buffer.concat([scalar, toOctets(digest % curve.order, curve.size)]);
  let v: Buffer = Buffer.alloc(curve.size, 1);
  let key: Buffer = Buffer.alloc(curve.size, 0);
  for (const round of [0, 1]) {
    key = mac(key, v, Uint8Array.of(round), seed);
    v = mac(key, v);
  }
  for (;;) {
    v = mac(key, v);
    const k = toInteger(v);
    if (k > 0n && k < curve.order) return v;
    key = mac(key, v, Uint8Array.of(0));
    v = mac(key, v);
  }
}

/**
 * ECDSA whose signature depends on key and data only (RFC 6979), r ‖ s. For vectors: it is not of constant time.
 * @param scalar the private key, as many bytes as the curve has
 */
export function signDeterministic(curve: SigningCurve, scalar: Uint8Array, data: Uint8Array): Bytes {
  const digest = toInteger(createHash(curve.hash).update(data).digest());
  const secret = Buffer.from(scalar);
  const k = deterministicK(curve, secret, digest);
  const r = xOf(curve, k) % curve.order;
  const s =
    (inverse(toInteger(k), curve.order) * ((digest + r * toInteger(secret)) % curve.order)) % curve.order;
  return toBytes(Buffer.concat([toOctets(r, curve.size), toOctets(s, curve.size)]));
}

/** PKCS#8 and SubjectPublicKeyInfo of a private key. */
export function keyPairOf(
  curve: SigningCurve,
  scalar: Uint8Array,
): { readonly pkcs8: Bytes; readonly spki: Bytes } {
  const agreement = createECDH(curve.openssl);
  agreement.setPrivateKey(Buffer.from(scalar));
  const point = agreement.getPublicKey();
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
  const jwk = {
    kty: "EC",
    crv: curve.jwk,
    d: base64(scalar),
    x: base64(point.subarray(1, 1 + curve.size)),
    y: base64(point.subarray(1 + curve.size)),
  };
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  return {
    pkcs8: toBytes(new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" }))),
    spki: toBytes(new Uint8Array(createPublicKey(privateKey).export({ type: "spki", format: "der" }))),
  };
}
