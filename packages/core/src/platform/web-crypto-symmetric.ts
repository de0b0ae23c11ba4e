import { type Bytes, toBytes } from "../bytes/index.ts";
import type { CryptoProvider } from "./crypto.ts";
import { type Subtle, webKey } from "./web-crypto-key.ts";

/** The part of a provider that hashes, derives and encrypts. */
export type SymmetricPart = Omit<
  CryptoProvider,
  | "randomBytes"
  | "generateSigningKey"
  | "importSigningKey"
  | "exportSigningKey"
  | "importVerifyingKey"
  | "sign"
  | "verify"
  | "verifyCertificateSignature"
  | "generateAgreementKey"
  | "importAgreementKey"
  | "agree"
>;

/** Hashes, key derivation and AES by WebCrypto. */
export function webSymmetric(subtle: Subtle): SymmetricPart {
  return {
    sha256: async (data) => toBytes(await subtle.digest("SHA-256", data)),
    sha384: async (data) => toBytes(await subtle.digest("SHA-384", data)),
    sha512: async (data) => toBytes(await subtle.digest("SHA-512", data)),
    hmacSha256: (key, data) => hmac(subtle, key, data),
    pbkdf2Sha256: async (password, salt, iterations, length) => {
      const key = await subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
      return toBytes(await subtle.deriveBits(parameters, key, length * 8));
    },
    ...webGcm(subtle),
    ...webCbc(subtle),
    ...webKeyWrap(subtle),
  };
}

async function hmac(subtle: Subtle, key: Bytes, data: Bytes): Promise<Bytes> {
  // HMAC fills the key with zeros to a block (RFC 2104), so one zero byte is the empty key that WebCrypto refuses.
  const material = key.length === 0 ? new Uint8Array(1) : key;
  const parameters = { name: "HMAC", hash: "SHA-256" };
  const handle = await subtle.importKey("raw", material, parameters, false, ["sign"]);
  return toBytes(await subtle.sign("HMAC", handle, data));
}

function webGcm(subtle: Subtle): Pick<SymmetricPart, "importAesGcmKey" | "aesGcmSeal" | "aesGcmOpen"> {
  const parameters = (iv: Bytes, additionalData: Bytes) => ({ name: "AES-GCM", iv, additionalData });
  return {
    async importAesGcmKey(raw) {
      if (raw.length !== 32) throw new RangeError("an AES-256 key has 32 bytes");
      return { handle: await subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]) };
    },
    async aesGcmSeal(key, iv, plaintext, aad) {
      if (iv.length !== 12) throw new RangeError("the iv has 12 bytes");
      return toBytes(await subtle.encrypt(parameters(iv, aad), webKey(key.handle), plaintext));
    },
    async aesGcmOpen(key, iv, ciphertext, aad) {
      if (iv.length !== 12) throw new RangeError("the iv has 12 bytes");
      if (ciphertext.length < 16) return undefined;
      return unlessRefused(() => subtle.decrypt(parameters(iv, aad), webKey(key.handle), ciphertext));
    },
  };
}

function webCbc(subtle: Subtle): Pick<SymmetricPart, "aesCbcSeal" | "aesCbcOpen"> {
  return {
    async aesCbcSeal(key, iv, plaintext) {
      const handle = await subtle.importKey("raw", key, "AES-CBC", false, ["encrypt"]);
      return toBytes(await subtle.encrypt({ name: "AES-CBC", iv }, handle, plaintext));
    },
    async aesCbcOpen(key, iv, ciphertext) {
      const handle = await subtle.importKey("raw", key, "AES-CBC", false, ["decrypt"]);
      return unlessRefused(() => subtle.decrypt({ name: "AES-CBC", iv }, handle, ciphertext));
    },
  };
}

function webKeyWrap(subtle: Subtle): Pick<SymmetricPart, "aesKeyWrap" | "aesKeyUnwrap"> {
  return {
    async aesKeyWrap(wrappingKey, key) {
      const wrapping = await subtle.importKey("raw", wrappingKey, "AES-KW", false, ["wrapKey"]);
      const inner = await subtle.importKey("raw", key, "AES-GCM", true, ["encrypt"]);
      return toBytes(await subtle.wrapKey("raw", inner, wrapping, "AES-KW"));
    },
    async aesKeyUnwrap(wrappingKey, wrapped) {
      if (wrapped.length !== 40) return undefined;
      const wrapping = await subtle.importKey("raw", wrappingKey, "AES-KW", false, ["unwrapKey"]);
      return unlessRefused(async () => {
        const inner = await subtle.unwrapKey("raw", wrapped, wrapping, "AES-KW", "AES-GCM", true, [
          "encrypt",
        ]);
        return subtle.exportKey("raw", inner);
      });
    },
  };
}

/** WebCrypto tells "does not authenticate" by an OperationError; any other error is a misuse and passes on. */
async function unlessRefused(operation: () => Promise<ArrayBuffer>): Promise<Bytes | undefined> {
  try {
    return toBytes(await operation());
  } catch (cause) {
    if (cause instanceof Error && cause.name === "OperationError") return undefined;
    throw cause;
  }
}
