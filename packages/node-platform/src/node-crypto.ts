import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type DecipherGCM,
  diffieHellman,
  generateKeyPairSync,
  hash,
  type KeyObject,
  pbkdf2Sync,
  randomFillSync,
} from "node:crypto";
import { type Bytes, concatBytes, equalBytes, fromHex, toBytes } from "@photinus/core/bytes";
import type {
  AgreementKey,
  CryptoProvider,
  OpenApartRequest,
  SealIntoRequest,
  SecretKey,
} from "@photinus/core/platform";
import { keyObject } from "./node-crypto-key.ts";
import { nodeSigning } from "./node-crypto-signing.ts";
import { NodeSecretKey, secretKey } from "./node-secret-key.ts";
import { releaseMemory } from "./release-memory.ts";

/**
 * The provider over node:crypto. Every call is synchronous: what it is used for (messages, chunks of 256 KiB to
 * 1 MiB) is done before WebCrypto's thread pool would have begun.
 */
export function nodeCrypto(): CryptoProvider {
  return {
    randomBytes: (length) => compact(randomFillSync(new Uint8Array(length))),
    sha256: (data) => compact(hash("sha256", data, "buffer")),
    sha384: (data) => toBytes(hash("sha384", data, "buffer")),
    sha512: (data) => toBytes(hash("sha512", data, "buffer")),
    hmacSha256: (key, data) => toBytes(createHmac("sha256", key).update(data).digest()),
    pbkdf2Sha256: (password, salt, iterations, length) =>
      toBytes(pbkdf2Sync(password, salt, iterations, length, "sha256")),
    ...nodeSigning(),
    generateAgreementKey,
    importAgreementKey,
    agree: agreement(),
    importAesGcmKey: (raw) => new NodeSecretKey(raw),
    forgetAesGcmKey: ({ handle }) => secretKey(handle).forget(),
    aesGcmSeal,
    aesGcmOpen,
    aesGcmSealInto,
    aesGcmOpenApart,
    aesCbcSeal: (key, iv, plaintext) => {
      const cipher = createCipheriv("aes-256-cbc", key, iv);
      return concatBytes(cipher.update(plaintext), cipher.final());
    },
    aesCbcOpen,
    aesKeyWrap,
    aesKeyUnwrap,
  };
}

/** Up to so many bytes V8 keeps inside the array itself. */
const INLINE_BYTES = 64;

/**
 * Copies what is small: digests and ids are kept by the thousand, and a buffer of Node's around one takes three times as
 * much memory.
 */
function compact(bytes: Uint8Array): Bytes {
  return bytes.byteLength <= INLINE_BYTES ? new Uint8Array(bytes) : toBytes(bytes);
}

// Raw keys go in and out as JWK (RFC 8037), whose 32 bytes OpenSSL takes as they are: its readers and writers of DER take
// twice as long as the key agreement itself.

function generateAgreementKey(): AgreementKey {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return { publicKey: new Uint8Array(Buffer.from(x, "base64url")), handle: privateKey };
}

// PrivateKeyInfo of RFC 8410 up to the 32 bytes of the key.
const PKCS8_PREFIX = fromHex("302e020100300506032b656e04220420");

function importAgreementKey(privateKey: Bytes, publicKey: Bytes): AgreementKey {
  if (privateKey.length !== 32 || publicKey.length !== 32) throw new RangeError("X25519 keys have 32 bytes");
  const key = Buffer.from(concatBytes(PKCS8_PREFIX, privateKey));
  return { publicKey, handle: createPrivateKey({ key, format: "der", type: "pkcs8" }) };
}

/** X25519. The last peer's key is kept: in a handshake the same one is agreed with twice in a row. */
function agreement(): CryptoProvider["agree"] {
  let last: { readonly bytes: Bytes; readonly key: KeyObject } | undefined;
  return ({ handle }, peerPublicKey) => {
    if (peerPublicKey.length !== 32) return undefined;
    if (last === undefined || !equalBytes(last.bytes, peerPublicKey)) {
      last = { bytes: peerPublicKey.slice(), key: agreementPublicKey(peerPublicKey) };
    }
    return agreed(keyObject(handle), last.key);
  };
}

function agreementPublicKey(bytes: Bytes): KeyObject {
  const x = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
}

function agreed(privateKey: KeyObject, publicKey: KeyObject): Bytes | undefined {
  try {
    const secret = toBytes(diffieHellman({ privateKey, publicKey }));
    return equalBytes(secret, ZERO_SECRET) ? undefined : secret;
  } catch {
    // OpenSSL refuses the all-zero secret of a low-order point; nothing else can fail with two X25519 keys.
    return undefined;
  }
}

const ZERO_SECRET: Bytes = new Uint8Array(32);

const TAG_BYTES = 16;

/** Large enough that a piece costs little, small enough that it stays in the cache until it was copied. */
const PIECE_BYTES = 65_536;

/** Runs `input` through a stream cipher into `target`, which may be the same memory. */
function updateInto(cipher: CipherGCM | DecipherGCM, input: Bytes, target: Bytes): void {
  for (let start = 0; start < input.length; start += PIECE_BYTES) {
    const output = toBytes(cipher.update(input.subarray(start, start + PIECE_BYTES)));
    target.set(output, start);
    releaseMemory(output);
  }
}

function cipherOf({ handle }: SecretKey, iv: Bytes): CipherGCM {
  return secretKey(handle).lend((key) => createCipheriv("aes-256-gcm", key, iv));
}

function aesGcmSeal(key: SecretKey, iv: Bytes, plaintext: Bytes, aad: Bytes): Bytes {
  if (iv.length !== 12) throw new RangeError("the iv has 12 bytes");
  const cipher = cipherOf(key, iv).setAAD(aad);
  const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
  updateInto(cipher, plaintext, sealed);
  cipher.final(); // GCM is a stream: nothing is left
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

function aesGcmSealInto(key: SecretKey, { iv, aad, parts, ciphertext, tag }: SealIntoRequest): void {
  if (iv.length !== 12) throw new RangeError("the iv has 12 bytes");
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (ciphertext.length !== length || tag.length !== TAG_BYTES)
    throw new RangeError("no room for the ciphertext");
  const cipher = cipherOf(key, iv).setAAD(aad);
  let at = 0;
  for (const part of parts) {
    updateInto(cipher, part, ciphertext.subarray(at));
    at += part.length;
  }
  cipher.final(); // GCM is a stream: nothing is left
  tag.set(cipher.getAuthTag());
}

function aesGcmOpen(key: SecretKey, iv: Bytes, ciphertext: Bytes, aad: Bytes): Bytes | undefined {
  if (ciphertext.length < TAG_BYTES) return undefined;
  const split = ciphertext.length - TAG_BYTES;
  const parts = { ciphertext: ciphertext.subarray(0, split), tag: ciphertext.subarray(split) };
  return aesGcmOpenApart(key, { iv, aad, ...parts });
}

function aesGcmOpenApart(key: SecretKey, request: OpenApartRequest): Bytes | undefined {
  const { iv, aad, ciphertext, tag, inPlace = false } = request;
  if (iv.length !== 12) throw new RangeError("the iv has 12 bytes");
  if (tag.length !== TAG_BYTES) return undefined; // a shorter one would authenticate less
  const decipher = secretKey(key.handle)
    .lend((bytes) => createDecipheriv("aes-256-gcm", bytes, iv))
    .setAAD(aad)
    .setAuthTag(tag);
  const plaintext = inPlace ? ciphertext : toBytes(decipher.update(ciphertext));
  if (inPlace) updateInto(decipher, ciphertext, ciphertext);
  return finishes(() => decipher.final()) ? plaintext : undefined;
}

function aesCbcOpen(key: Bytes, iv: Bytes, ciphertext: Bytes): Bytes | undefined {
  const decipher = createDecipheriv("aes-256-cbc", key, iv);
  const head = decipher.update(ciphertext);
  try {
    return concatBytes(head, decipher.final());
  } catch {
    return undefined; // wrong padding or length
  }
}

/** The initial value of RFC 3394, section 2.2.3.1. */
const WRAP_IV = fromHex("a6a6a6a6a6a6a6a6");

function aesKeyWrap(wrappingKey: Bytes, key: Bytes): Bytes {
  const cipher = createCipheriv("id-aes256-wrap", wrappingKey, WRAP_IV);
  return concatBytes(cipher.update(key), cipher.final());
}

function aesKeyUnwrap(wrappingKey: Bytes, wrapped: Bytes): Bytes | undefined {
  if (wrapped.length !== 40) return undefined;
  const decipher = createDecipheriv("id-aes256-wrap", wrappingKey, WRAP_IV);
  try {
    return concatBytes(decipher.update(wrapped), decipher.final());
  } catch {
    return undefined; // the integrity check failed
  }
}

function finishes(last: () => unknown): boolean {
  try {
    last();
    return true;
  } catch {
    return false; // the tag does not authenticate
  }
}
