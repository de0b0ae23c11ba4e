import { PkiError, WireError } from "../errors/index.ts";
import type { SignatureAlgorithm } from "./crypto.ts";

/** What of WebCrypto the provider uses: `globalThis.crypto`, or another implementation of it. */
export type WebCryptoSource = Pick<typeof globalThis.crypto, "subtle" | "getRandomValues">;

/** The operations of WebCrypto. */
export type Subtle = WebCryptoSource["subtle"];

/** WebCrypto's own key object. */
export type WebKey = Awaited<ReturnType<Subtle["importKey"]>>;

/** A pair of WebCrypto's key objects. */
export interface WebKeyPair {
  /** The half that stays. */
  readonly privateKey: WebKey;
  /** The half that is told. */
  readonly publicKey: WebKey;
}

/**
 * The WebCrypto key in a handle.
 * @throws TypeError when another provider made it
 */
export function webKey(handle: unknown): WebKey {
  const isKey =
    typeof handle === "object" && handle !== null && "usages" in handle && "extractable" in handle;
  if (!isKey) throw new TypeError("the key was made by another crypto provider than WebCrypto");
  return handle as WebKey; // usages and extractable are what a CryptoKey has and no other handle of ours
}

/** WebCrypto's parameters of a signature algorithm for import and generation. */
export function keyParameters(algorithm: SignatureAlgorithm): RsaHashed | EcNamed {
  if (algorithm === 2) return { name: "RSA-PSS", hash: "SHA-256" };
  return { name: "ECDSA", namedCurve: algorithm === 1 ? "P-256" : "P-384" };
}

/** WebCrypto's parameters of a signature algorithm for signing and verifying. */
export function signatureParameters(algorithm: SignatureAlgorithm): SignatureParameters {
  if (algorithm === 2) return { name: "RSA-PSS", saltLength: 32 };
  return { name: "ECDSA", hash: algorithm === 1 ? "SHA-256" : "SHA-384" };
}

/**
 * True when the signature is as long as the modulus, for keys that have one (RFC 8017, 8.1.2, step 1). OpenSSL takes RSA-PSS
 * without its leading zero bytes as well: a second form of the same signature.
 */
export function hasFullLength(key: WebKey, signature: Uint8Array): boolean {
  const { modulusLength } = key.algorithm as { readonly modulusLength?: number }; // present for RSA keys only
  return modulusLength === undefined || signature.byteLength === Math.ceil(modulusLength / 8);
}

/** RSA takes part with 2048 to 4096 bits: less is weak, more lets a peer burn our time. */
export function requireModulusLength(key: WebKey): void {
  const { modulusLength } = key.algorithm as { readonly modulusLength?: number }; // present for RSA keys only
  if (modulusLength === undefined || (modulusLength >= 2048 && modulusLength <= 4096)) return;
  throw new PkiError(
    "ERR_CERTIFICATE_UNSUPPORTED",
    `RSA key of ${modulusLength} bits, expected 2048 to 4096`,
  );
}

/** Runs an X25519 operation. @throws WireError `ERR_X25519_MISSING` when WebCrypto does not know the curve */
export async function withX25519<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    // A browser without the curve rejects the algorithm's name itself.
    if (!(cause instanceof Error) || cause.name !== "NotSupportedError") throw cause;
    throw new WireError("ERR_X25519_MISSING", "WebCrypto of this runtime has no X25519", { cause });
  }
}

/** Parameters of an RSA key. */
export interface RsaHashed {
  /** Name of the algorithm in WebCrypto. */
  readonly name: "RSA-PSS" | "RSASSA-PKCS1-v1_5";
  /** Hash that the key is bound to. */
  readonly hash: string;
}

/** Parameters of an elliptic-curve key. */
export interface EcNamed {
  /** Name of the algorithm in WebCrypto. */
  readonly name: "ECDSA";
  /** Curve of the key. */
  readonly namedCurve: string;
}

/** Parameters of one signature. */
export interface SignatureParameters {
  /** Name of the algorithm in WebCrypto. */
  readonly name: string;
  /** ECDSA: hash of the message. */
  readonly hash?: string;
  /** RSA-PSS: length of the salt in bytes. */
  readonly saltLength?: number;
}
