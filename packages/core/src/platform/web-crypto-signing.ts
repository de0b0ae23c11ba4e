import { type Bytes, toBytes, utf8 } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type {
  CertificateSignatureScheme,
  CryptoProvider,
  SignatureAlgorithm,
  SigningKey,
  VerifyingKey,
} from "./crypto.ts";
import {
  type EcNamed,
  hasFullLength,
  keyParameters,
  type RsaHashed,
  requireModulusLength,
  type SignatureParameters,
  type Subtle,
  signatureParameters,
  type WebKey,
  webKey,
} from "./web-crypto-key.ts";

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

/** Signatures by WebCrypto. */
export function webSigning(subtle: Subtle): SigningPart {
  return {
    generateSigningKey: (algorithm, options) => generate(subtle, algorithm, options),
    importSigningKey: (pkcs8, publicKey, algorithm) => importPrivate(subtle, { pkcs8, publicKey, algorithm }),
    exportSigningKey: (key) => exportPrivate(subtle, key),
    importVerifyingKey: (spki, algorithm) => importVerifying(subtle, spki, algorithm),
    async sign(key, data) {
      const { algorithm, handle } = key;
      return toBytes(await subtle.sign(signatureParameters(algorithm), webKey(handle), data));
    },
    verify: async ({ algorithm, handle }, signature, data) => {
      const key = webKey(handle);
      return (
        hasFullLength(key, signature) &&
        (await subtle.verify(signatureParameters(algorithm), key, signature, data))
      );
    },
    verifyCertificateSignature: (spki, scheme, signature, data) =>
      verifyByScheme(subtle, { spki, scheme, signature, data }),
  };
}

async function generate(
  subtle: Subtle,
  algorithm: SignatureAlgorithm,
  options: { readonly extractable?: boolean; readonly modulusLength?: 2048 | 3072 } = {},
): Promise<SigningKey> {
  const extractable = options.extractable ?? false;
  const pair =
    algorithm === 2
      ? await subtle.generateKey(
          {
            name: "RSA-PSS",
            hash: "SHA-256",
            modulusLength: options.modulusLength ?? 3072,
            publicExponent: Uint8Array.of(1, 0, 1),
          },
          extractable,
          ["sign", "verify"],
        )
      : await subtle.generateKey(
          { name: "ECDSA", namedCurve: algorithm === 1 ? "P-256" : "P-384" },
          extractable,
          ["sign", "verify"],
        );
  const publicKey = toBytes(await subtle.exportKey("spki", pair.publicKey));
  return { algorithm, publicKey, handle: pair.privateKey };
}

interface PrivateKeyParts {
  readonly pkcs8: Bytes;
  readonly publicKey: Bytes;
  readonly algorithm: SignatureAlgorithm;
}

async function importPrivate(subtle: Subtle, parts: PrivateKeyParts): Promise<SigningKey> {
  const { pkcs8, publicKey, algorithm } = parts;
  let handle: WebKey;
  try {
    handle = await subtle.importKey("pkcs8", pkcs8, keyParameters(algorithm), false, ["sign"]);
  } catch (cause) {
    throw new PkiError("ERR_KEY_UNREADABLE", `not a private key of algorithm ${algorithm}`, { cause });
  }
  requireModulusLength(handle);
  const key: SigningKey = { algorithm, publicKey, handle };
  await requirePair(subtle, key);
  return key;
}

/** A key beside the wrong certificate would only be found by the peer, as a failed login: find it here. */
async function requirePair(subtle: Subtle, key: SigningKey): Promise<void> {
  const probe = utf8("photinus key pair check");
  const parameters = signatureParameters(key.algorithm);
  const signature = await subtle.sign(parameters, webKey(key.handle), probe);
  const { handle } = await importVerifying(subtle, key.publicKey, key.algorithm);
  if (await subtle.verify(parameters, webKey(handle), signature, probe)) return;
  throw new PkiError("ERR_KEY_UNREADABLE", "the private key does not belong to the public key beside it");
}

async function exportPrivate(subtle: Subtle, { handle }: SigningKey): Promise<Bytes> {
  const key = webKey(handle);
  if (!key.extractable) throw new TypeError("the signing key is not extractable");
  return toBytes(await subtle.exportKey("pkcs8", key));
}

async function importVerifying(
  subtle: Subtle,
  spki: Bytes,
  algorithm: SignatureAlgorithm,
): Promise<VerifyingKey> {
  const handle = await importPublic(subtle, spki, keyParameters(algorithm));
  return { algorithm, handle };
}

async function importPublic(subtle: Subtle, spki: Bytes, parameters: RsaHashed | EcNamed): Promise<WebKey> {
  let key: WebKey;
  try {
    key = await subtle.importKey("spki", spki, parameters, true, ["verify"]);
  } catch (cause) {
    throw new PkiError("ERR_CERTIFICATE_UNSUPPORTED", `the public key is not of ${parameters.name}`, {
      cause,
    });
  }
  requireModulusLength(key);
  return key;
}

interface CertificateSignature {
  readonly spki: Bytes;
  readonly scheme: CertificateSignatureScheme;
  readonly signature: Bytes;
  readonly data: Bytes;
}

async function verifyByScheme(subtle: Subtle, parts: CertificateSignature): Promise<boolean> {
  const { spki, scheme, signature, data } = parts;
  const key = await importPublic(subtle, spki, importParameters(scheme));
  return (
    hasFullLength(key, signature) && (await subtle.verify(verifyParameters(scheme), key, signature, data))
  );
}

function importParameters(scheme: CertificateSignatureScheme): RsaHashed | EcNamed {
  return scheme.name === "ECDSA"
    ? { name: scheme.name, namedCurve: scheme.curve }
    : { name: scheme.name, hash: scheme.hash };
}

function verifyParameters(scheme: CertificateSignatureScheme): SignatureParameters {
  switch (scheme.name) {
    case "ECDSA":
      return { name: scheme.name, hash: scheme.hash };
    case "RSA-PSS":
      return { name: scheme.name, saltLength: scheme.saltLength };
    case "RSASSA-PKCS1-v1_5":
      return { name: scheme.name };
  }
}
