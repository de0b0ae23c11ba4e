import { constants, createPrivateKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { type Bytes, equalBytes, toBytes } from "@photinus/core/bytes";
import { PkiError } from "@photinus/core/errors";
import type {
  CertificateSignatureScheme,
  CryptoProvider,
  SignatureAlgorithm,
  SigningKey,
} from "@photinus/core/platform";
import {
  importPublicKey,
  kindOf,
  type PrivateHandle,
  privateHandle,
  publicKeyOf,
  requireKind,
  spkiOf,
} from "./node-crypto-key.ts";
import { KeyObjects, NodeVerifyingKey, verifyingKey } from "./node-verifying-key.ts";

/** The part of a provider that signs and verifies. */
export type SigningPart = Pick<
  CryptoProvider,
  | "generateSigningKey"
  | "importSigningKey"
  | "exportSigningKey"
  | "importVerifyingKey"
  | "sign"
  | "verify"
  | "verifyCertificateSignature"
>;

/** Signatures by node:crypto, synchronous: WebCrypto's thread pool costs 80 to 120 µs a call. */
export function nodeSigning(): SigningPart {
  const issuers = new IssuerKeys();
  const keys = new KeyObjects();
  return {
    generateSigningKey: generate,
    importSigningKey: importPrivate,
    exportSigningKey,
    importVerifyingKey: (spki, algorithm) => {
      const key = new NodeVerifyingKey(spki, algorithm);
      keys.of(key); // what cannot be imported is refused here
      return key;
    },
    sign: ({ algorithm, handle }, data) =>
      toBytes(sign(hashOf(algorithm), data, { key: privateHandle(handle).key, ...options(algorithm) })),
    verify: ({ algorithm, handle }, signature, data) =>
      verifyWith(
        hashOf(algorithm),
        data,
        { key: keys.of(verifyingKey(handle)), ...options(algorithm) },
        signature,
      ),
    verifyCertificateSignature: (spki, scheme, signature, data) =>
      verifyCertificateSignature(issuers.of(spki), scheme, { signature, data }),
  };
}

function hashOf(algorithm: SignatureAlgorithm): "SHA-256" | "SHA-384" {
  return algorithm === 3 ? "SHA-384" : "SHA-256";
}

type SignatureOptions =
  | { readonly dsaEncoding: "ieee-p1363" }
  | { readonly padding: number; readonly saltLength?: number };

function options(algorithm: SignatureAlgorithm): SignatureOptions {
  return algorithm === 2
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
    : { dsaEncoding: "ieee-p1363" };
}

function generate(
  algorithm: SignatureAlgorithm,
  wanted: { readonly extractable?: boolean; readonly modulusLength?: 2048 | 3072 } = {},
): SigningKey {
  const pair =
    algorithm === 2
      ? generateKeyPairSync("rsa", { modulusLength: wanted.modulusLength ?? 3072 })
      : generateKeyPairSync("ec", { namedCurve: kindOf(algorithm) });
  const handle: PrivateHandle = { key: pair.privateKey, extractable: wanted.extractable ?? false };
  return { algorithm, publicKey: spkiOf(pair.publicKey), handle };
}

function importPrivate(pkcs8: Bytes, publicKey: Bytes, algorithm: SignatureAlgorithm): SigningKey {
  let key: KeyObject;
  try {
    key = createPrivateKey({
      key: Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length),
      format: "der",
      type: "pkcs8",
    });
  } catch (cause) {
    throw new PkiError("ERR_KEY_UNREADABLE", "not a private key in PKCS#8", { cause });
  }
  requireKind(key, kindOf(algorithm), "ERR_KEY_UNREADABLE");
  // A key beside the wrong certificate would only be found by the peer, as a failed login: find it here.
  if (!equalBytes(publicKeyOf(key), publicKey)) {
    throw new PkiError("ERR_KEY_UNREADABLE", "the private key does not belong to the public key beside it");
  }
  const handle: PrivateHandle = { key, extractable: false };
  return { algorithm, publicKey, handle };
}

function exportSigningKey({ handle }: SigningKey): Bytes {
  const { key, extractable } = privateHandle(handle);
  if (!extractable) throw new TypeError("the signing key is not extractable");
  return toBytes(key.export({ type: "pkcs8", format: "der" }));
}

/** Issuers that are remembered: a project has a root and few CAs. */
const MAX_ISSUERS = 4;

/** Keys of the issuers that signed last: all certificates of a project come from them, and reading a key takes long. */
class IssuerKeys {
  #keys: readonly { readonly spki: Bytes; readonly key: KeyObject }[] = [];

  /** @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` */
  of(spki: Bytes): KeyObject {
    const known = this.#keys.find((issuer) => equalBytes(issuer.spki, spki));
    if (known !== undefined) return known.key;
    const key = importPublicKey(spki);
    this.#keys = [{ spki: spki.slice(), key }, ...this.#keys].slice(0, MAX_ISSUERS);
    return key;
  }
}

function verifyCertificateSignature(
  key: KeyObject,
  scheme: CertificateSignatureScheme,
  { signature, data }: { readonly signature: Bytes; readonly data: Bytes },
): boolean {
  requireKind(key, scheme.name === "ECDSA" ? scheme.curve : "RSA", "ERR_CERTIFICATE_UNSUPPORTED");
  return verifyWith(scheme.hash, data, { key, ...schemeOptions(scheme) }, signature);
}

function schemeOptions(scheme: CertificateSignatureScheme): SignatureOptions {
  switch (scheme.name) {
    case "ECDSA":
      return { dsaEncoding: "ieee-p1363" };
    case "RSA-PSS":
      return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltLength };
    case "RSASSA-PKCS1-v1_5":
      return { padding: constants.RSA_PKCS1_PADDING };
  }
}

function verifyWith(
  hash: string,
  data: Bytes,
  key: { readonly key: KeyObject } & SignatureOptions,
  signature: Bytes,
): boolean {
  // RFC 8017, 8.1.2, step 1: OpenSSL takes RSA-PSS without its leading zero bytes as well, a second form of the same.
  const modulusLength = key.key.asymmetricKeyDetails?.modulusLength;
  if (modulusLength !== undefined && signature.byteLength !== Math.ceil(modulusLength / 8)) return false;
  return verify(hash.replace("-", ""), data, key, signature);
}
