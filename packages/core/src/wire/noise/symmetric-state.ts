import { type Bytes, concatBytes } from "../../bytes/index.ts";
import type { CryptoProvider } from "../../platform/index.ts";
import { CipherState } from "./cipher-state.ts";

const EMPTY: Bytes = new Uint8Array(0);

/**
 * Noise HKDF with two outputs (revision 34, section 4.3): HKDF-SHA256 with salt `chainingKey` and empty info.
 * @returns 32 bytes each
 */
export async function noiseHkdf(
  crypto: CryptoProvider,
  chainingKey: Bytes,
  input: Bytes,
): Promise<readonly [Bytes, Bytes]> {
  const temporary = await crypto.hmacSha256(chainingKey, input);
  const first = await crypto.hmacSha256(temporary, Uint8Array.of(1));
  const second = await crypto.hmacSha256(temporary, concatBytes(first, Uint8Array.of(2)));
  return [first, second];
}

/** SymmetricState of Noise (revision 34, section 5.2) over SHA-256 and AES-256-GCM. */
export class SymmetricState {
  readonly #crypto: CryptoProvider;
  #chainingKey: Bytes;
  #hash: Bytes;
  #cipher: CipherState | undefined;

  /** @param protocolName exactly 32 bytes of UTF-8 or fewer; it is both h and ck at the start */
  constructor(protocolName: Bytes, crypto: CryptoProvider) {
    if (protocolName.byteLength > 32) throw new RangeError("protocol name of more than 32 bytes");
    this.#crypto = crypto;
    this.#hash = concatBytes(protocolName, new Uint8Array(32 - protocolName.byteLength));
    this.#chainingKey = this.#hash;
  }

  /** h: everything both sides have seen so far, 32 bytes. */
  get hash(): Bytes {
    return this.#hash;
  }

  /** h = SHA-256(h ‖ data). */
  async mixHash(data: Bytes): Promise<void> {
    this.#hash = await this.#crypto.sha256(concatBytes(this.#hash, data));
  }

  /** ck, k = HKDF(ck, input). */
  async mixKey(input: Bytes): Promise<void> {
    const [chainingKey, key] = await noiseHkdf(this.#crypto, this.#chainingKey, input);
    this.#chainingKey = chainingKey;
    this.#cipher?.forget();
    this.#cipher = await CipherState.create(key, this.#crypto);
  }

  /** Encrypts with h as associated data, or passes the plaintext on while there is no key; then mixes the result. */
  async encryptAndHash(plaintext: Bytes): Promise<Bytes> {
    const ciphertext =
      this.#cipher === undefined ? plaintext : await this.#cipher.encrypt(plaintext, this.#hash);
    await this.mixHash(ciphertext);
    return ciphertext;
  }

  /** @returns `undefined` when the ciphertext does not authenticate */
  async decryptAndHash(ciphertext: Bytes): Promise<Bytes | undefined> {
    const plaintext =
      this.#cipher === undefined ? ciphertext : await this.#cipher.decrypt(ciphertext, this.#hash);
    await this.mixHash(ciphertext);
    return plaintext;
  }

  /** Bytes that encryption adds: 16 once there is a key. */
  get overhead(): number {
    return this.#cipher === undefined ? 0 : 16;
  }

  /** Two transport keys, initiator to responder first; 32 bytes each. The chaining key is forgotten. */
  async split(): Promise<readonly [Bytes, Bytes]> {
    const keys = await noiseHkdf(this.#crypto, this.#chainingKey, EMPTY);
    this.#chainingKey = EMPTY;
    this.#cipher?.forget();
    this.#cipher = undefined;
    return keys;
  }
}
