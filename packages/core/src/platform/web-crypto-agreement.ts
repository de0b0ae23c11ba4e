import { type Bytes, concatBytes, equalBytes, fromHex, toBytes } from "../bytes/index.ts";
import type { AgreementKey, CryptoProvider } from "./crypto.ts";
import { type Subtle, type WebKey, type WebKeyPair, webKey, withX25519 } from "./web-crypto-key.ts";

/** The part of a provider that agrees on secrets. */
export type AgreementPart = Pick<CryptoProvider, "generateAgreementKey" | "importAgreementKey" | "agree">;

const X25519 = { name: "X25519" } as const;
// PrivateKeyInfo of RFC 8410, section 7, up to the 32 bytes of the key: WebCrypto has no raw private import.
const PKCS8_PREFIX = "302e020100300506032b656e04220420";

/** X25519 by WebCrypto. */
export function webAgreement(subtle: Subtle): AgreementPart {
  return {
    generateAgreementKey: () => generate(subtle),
    importAgreementKey: (privateKey, publicKey) => importPair(subtle, privateKey, publicKey),
    agree: (key, peerPublicKey) => agree(subtle, key, peerPublicKey),
  };
}

async function generate(subtle: Subtle): Promise<AgreementKey> {
  const pair = await withX25519(() => subtle.generateKey(X25519, false, ["deriveBits"]));
  const { publicKey, privateKey } = pair as WebKeyPair; // X25519 always yields a pair; the types do not know it
  return { publicKey: toBytes(await subtle.exportKey("raw", publicKey)), handle: privateKey };
}

async function importPair(subtle: Subtle, privateKey: Bytes, publicKey: Bytes): Promise<AgreementKey> {
  if (privateKey.length !== 32 || publicKey.length !== 32) throw new RangeError("X25519 keys have 32 bytes");
  const pkcs8 = concatBytes(fromHex(PKCS8_PREFIX), privateKey);
  const handle = await withX25519(() => subtle.importKey("pkcs8", pkcs8, X25519, false, ["deriveBits"]));
  return { publicKey, handle };
}

async function agree(subtle: Subtle, key: AgreementKey, peerPublicKey: Bytes): Promise<Bytes | undefined> {
  if (peerPublicKey.length !== 32) return undefined;
  const peer = await withX25519(() => subtle.importKey("raw", peerPublicKey, X25519, false, []));
  const secret = await derive(subtle, webKey(key.handle), peer);
  return secret === undefined || equalBytes(secret, new Uint8Array(32)) ? undefined : secret;
}

async function derive(subtle: Subtle, privateKey: WebKey, peer: WebKey): Promise<Bytes | undefined> {
  try {
    return toBytes(await subtle.deriveBits({ ...X25519, public: peer }, privateKey, 256));
  } catch (cause) {
    // WebCrypto refuses the all-zero secret of a low-order point by this error (RFC 7748, section 6.1).
    if (cause instanceof Error && cause.name === "OperationError") return undefined;
    throw cause;
  }
}
