import type { Bytes } from "../../bytes/index.ts";
import type { CryptoProvider, SecretKey } from "../../platform/index.ts";
import { counterNonce } from "../big-endian.ts";

/** CipherState of Noise (revision 34, section 5.1) with a key: AES-256-GCM and a counter that only grows. */
export class CipherState {
  readonly #key: SecretKey;
  readonly #crypto: CryptoProvider;
  #counter = 0;

  private constructor(key: SecretKey, crypto: CryptoProvider) {
    this.#key = key;
    this.#crypto = crypto;
  }

  /** A cipher at counter 0. @param key 32 bytes */
  static async create(key: Bytes, crypto: CryptoProvider): Promise<CipherState> {
    return new CipherState(await crypto.importAesGcmKey(key), crypto);
  }

  /** @returns ciphertext ‖ tag */
  async encrypt(plaintext: Bytes, associatedData: Bytes): Promise<Bytes> {
    return await this.#crypto.aesGcmSeal(this.#key, this.#nonce(), plaintext, associatedData);
  }

  /** @returns `undefined` when it does not authenticate; the state must not be used after that */
  async decrypt(ciphertext: Bytes, associatedData: Bytes): Promise<Bytes | undefined> {
    if (ciphertext.byteLength < 16) return undefined;
    return await this.#crypto.aesGcmOpen(this.#key, this.#nonce(), ciphertext, associatedData);
  }

  /** Another key takes its place. */
  forget(): void {
    this.#crypto.forgetAesGcmKey?.(this.#key);
  }

  #nonce(): Bytes {
    const nonce = counterNonce(this.#counter);
    this.#counter += 1;
    return nonce;
  }
}
