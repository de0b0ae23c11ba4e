import {
  Aes256Gcm,
  CipherSuite,
  DecapError,
  DhkemX25519HkdfSha256,
  HkdfSha256,
  OpenError,
  type RecipientContextParams,
  type SenderContextParams,
} from "@hpke/core";
import { type Bytes, concatBytes, toBytes, utf8 } from "../bytes/index.ts";
import type { AgreementKey, CryptoProvider } from "../platform/index.ts";

/** Bytes of an encapsulated key: an X25519 public key. */
export const ENCAPSULATED_BYTES = 32;
/** DHKEM(X25519, HKDF-SHA256) in the registry of RFC 9180, section 7.1. */
export const KEM_X25519 = 0x0020;

type Input = ArrayBufferLike | ArrayBufferView;
type LibraryKey = SenderContextParams["recipientPublicKey"];

// The library puts HPKE together; what computes is the provider, as for everything else: so the keys may be those of
// node:crypto, and nothing leaves the microtask queue where the provider does not.

/** HKDF-SHA256 (RFC 5869) by the provider. */
class ProviderHkdf extends HkdfSha256 {
  readonly #crypto: CryptoProvider;

  constructor(crypto: CryptoProvider) {
    super();
    this.#crypto = crypto;
  }

  override async extract(salt: Input, ikm: Input): Promise<ArrayBuffer> {
    return bufferOf(await this.#crypto.hmacSha256(toBytes(salt), toBytes(ikm)));
  }

  override async expand(prk: Input, info: Input, length: number): Promise<ArrayBuffer> {
    // HPKE derives secrets, keys and nonces of at most 32 bytes: one block, T(1), is all of it.
    if (length > this.hashSize) throw new RangeError(`at most ${this.hashSize} bytes are derived`);
    const block = await this.#crypto.hmacSha256(toBytes(prk), concatBytes(toBytes(info), Uint8Array.of(1)));
    return bufferOf(block.subarray(0, length));
  }

  override async extractAndExpand(
    salt: Input,
    ikm: Input,
    info: Input,
    length: number,
  ): Promise<ArrayBuffer> {
    return await this.expand(await this.extract(salt, ikm), info, length);
  }
}

/** A key in the form that the library wants: it hands keys on to the KEM and looks at nothing but this description. */
abstract class ProviderKey implements LibraryKey {
  readonly algorithm: LibraryKey["algorithm"] = { name: "X25519" };
  readonly extractable = false;
  readonly usages: LibraryKey["usages"] = [];
  abstract readonly type: LibraryKey["type"];
}

class ProviderPublicKey extends ProviderKey {
  readonly type = "public";
  /** 32 bytes. */
  readonly raw: Bytes;

  constructor(raw: Bytes) {
    super();
    this.raw = raw;
  }
}

class ProviderPrivateKey extends ProviderKey {
  readonly type = "private";
  readonly key: AgreementKey;

  constructor(key: AgreementKey) {
    super();
    this.key = key;
  }
}

const FOREIGN_KEY = "a key that is not of this suite";

/** DHKEM(X25519, HKDF-SHA256) (RFC 9180, section 4.1), base mode, by the provider. */
class ProviderKem extends DhkemX25519HkdfSha256 {
  readonly #crypto: CryptoProvider;
  readonly #hkdf: ProviderHkdf;

  constructor(crypto: CryptoProvider) {
    super();
    this.#crypto = crypto;
    this.#hkdf = new ProviderHkdf(crypto);
    this.#hkdf.init(concatBytes(utf8("KEM"), Uint8Array.of(0x00, KEM_X25519)));
  }

  override async encap({
    recipientPublicKey,
  }: SenderContextParams): Promise<{ sharedSecret: ArrayBuffer; enc: ArrayBuffer }> {
    if (!(recipientPublicKey instanceof ProviderPublicKey)) throw new TypeError(FOREIGN_KEY);
    const recipient = recipientPublicKey.raw;
    const ephemeral = await this.#crypto.generateAgreementKey();
    const secret = await this.#crypto.agree(ephemeral, recipient);
    // A point of low order: its owner would share the secret with everybody (RFC 9180, section 7.1.4).
    if (secret === undefined) throw new RangeError("the public key is not one of X25519");
    const context = concatBytes(ephemeral.publicKey, recipient);
    return { sharedSecret: await this.#derive(secret, context), enc: bufferOf(ephemeral.publicKey) };
  }

  override async decap({ recipientKey, enc }: RecipientContextParams): Promise<ArrayBuffer> {
    if (!(recipientKey instanceof ProviderPrivateKey)) throw new TypeError(FOREIGN_KEY);
    const { key } = recipientKey;
    const encapsulated = toBytes(enc);
    const secret = await this.#crypto.agree(key, encapsulated);
    if (secret === undefined) throw new DecapError("the encapsulated key is not one of X25519");
    return await this.#derive(secret, concatBytes(encapsulated, key.publicKey));
  }

  /** ExtractAndExpand of RFC 9180, section 4.1. */
  async #derive(secret: Bytes, context: Bytes): Promise<ArrayBuffer> {
    const length = this.#hkdf.hashSize;
    const ikm = this.#hkdf.buildLabeledIkm(utf8("eae_prk"), secret);
    const info = this.#hkdf.buildLabeledInfo(utf8("shared_secret"), context, length);
    return await this.#hkdf.extractAndExpand(new Uint8Array(0), ikm, info, length);
  }
}

/** AES-256-GCM by the provider. */
class ProviderAead extends Aes256Gcm {
  readonly #crypto: CryptoProvider;

  constructor(crypto: CryptoProvider) {
    super();
    this.#crypto = crypto;
  }

  override createEncryptionContext(key: Input): ReturnType<Aes256Gcm["createEncryptionContext"]> {
    const crypto = this.#crypto;
    const raw = toBytes(key);
    return {
      async seal(iv, data, aad) {
        const secret = await crypto.importAesGcmKey(raw);
        return bufferOf(await crypto.aesGcmSeal(secret, toBytes(iv), toBytes(data), toBytes(aad)));
      },
      async open(iv, data, aad) {
        const secret = await crypto.importAesGcmKey(raw);
        const plaintext = await crypto.aesGcmOpen(secret, toBytes(iv), toBytes(data), toBytes(aad));
        if (plaintext === undefined) throw new OpenError("it does not authenticate");
        return bufferOf(plaintext);
      },
    };
  }
}

/** The library speaks of whole buffers. */
function bufferOf(bytes: Bytes): ArrayBuffer {
  return bytes.slice().buffer;
}

/** The one suite of the protocol: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. */
export function hpkeSuite(crypto: CryptoProvider): CipherSuite {
  return new CipherSuite({
    kem: new ProviderKem(crypto),
    kdf: new ProviderHkdf(crypto),
    aead: new ProviderAead(crypto),
  });
}

/** A public key as {@link hpkeSuite} takes it. @param raw 32 bytes */
export function recipientPublicKey(raw: Bytes): LibraryKey {
  return new ProviderPublicKey(raw);
}

/** A private key as {@link hpkeSuite} takes it. */
export function recipientKey(key: AgreementKey): LibraryKey {
  return new ProviderPrivateKey(key);
}

/** What an encryption is bound to. */
export interface HpkeBinding {
  /** Enters the derivation of the key. */
  readonly info: Bytes;
  /** Additional data of the AEAD. */
  readonly aad: Bytes;
}

/** An encryption to one public key. */
export interface HpkeSealed {
  /** 32 bytes. */
  readonly encapsulated: Bytes;
  /** The plaintext's length and 16 bytes more. */
  readonly ciphertext: Bytes;
}

/**
 * HPKE in base mode (RFC 9180, section 5.1.1), one message: whoever holds the private key reads it; it says nothing of
 * who wrote it.
 *
 * @param publicKey X25519, 32 bytes
 * @throws RangeError for a key of another length or of low order
 */
export async function hpkeSeal(
  publicKey: Bytes,
  plaintext: Bytes,
  { info, aad }: HpkeBinding,
  crypto: CryptoProvider,
): Promise<HpkeSealed> {
  if (publicKey.byteLength !== ENCAPSULATED_BYTES) throw new RangeError("an X25519 key has 32 bytes");
  const params = { recipientPublicKey: recipientPublicKey(publicKey), info };
  const { enc, ct } = await hpkeSuite(crypto).seal(params, plaintext, aad);
  return { encapsulated: toBytes(enc), ciphertext: toBytes(ct) };
}

/** Opens what {@link hpkeSeal} sealed. @returns `undefined` when it is not for this key, or bound to something else */
export async function hpkeOpen(
  key: AgreementKey,
  { encapsulated, ciphertext }: HpkeSealed,
  { info, aad }: HpkeBinding,
  crypto: CryptoProvider,
): Promise<Bytes | undefined> {
  if (encapsulated.byteLength !== ENCAPSULATED_BYTES) return undefined;
  try {
    const params = { recipientKey: recipientKey(key), enc: encapsulated, info };
    return toBytes(await hpkeSuite(crypto).open(params, ciphertext, aad));
  } catch (error) {
    if (error instanceof OpenError || error instanceof DecapError) return undefined;
    throw error;
  }
}
