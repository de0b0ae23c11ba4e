import type { Bytes } from "@photinus/core/bytes";
import { foreignKey } from "./node-crypto-key.ts";

const KEY_BYTES = 32;

/** Memory from which OpenSSL reads the key of the call that is under way; zero between calls. */
const scratch = new Int32Array(KEY_BYTES / 4);
const scratchBytes = new Uint8Array(scratch.buffer);

/**
 * An AES-256 key as this provider holds it: eight words in the object itself, 96 bytes of V8's heap. An array would be 144,
 * a typed one 232, a key object of Node's 1.4 KiB, and each session has two keys for as long as it lives.
 */
export class NodeSecretKey {
  #isForgotten = false;
  #word0 = 0;
  #word1 = 0;
  #word2 = 0;
  #word3 = 0;
  #word4 = 0;
  #word5 = 0;
  #word6 = 0;
  #word7 = 0;

  /** @param raw copied */
  constructor(raw: Bytes) {
    if (raw.length !== KEY_BYTES) throw new RangeError("an AES-256 key has 32 bytes");
    scratchBytes.set(raw);
    this.#take(scratch);
    scratch.fill(0);
  }

  #take([
    word0 = 0,
    word1 = 0,
    word2 = 0,
    word3 = 0,
    word4 = 0,
    word5 = 0,
    word6 = 0,
    word7 = 0,
  ]: Int32Array): void {
    this.#word0 = word0;
    this.#word1 = word1;
    this.#word2 = word2;
    this.#word3 = word3;
    this.#word4 = word4;
    this.#word5 = word5;
    this.#word6 = word6;
    this.#word7 = word7;
  }

  /** Its own handle: one object less for each key. */
  get handle(): this {
    return this;
  }

  /**
   * Lends the bytes to one synchronous call, which copies them.
   * @throws TypeError after {@link forget}
   */
  lend<T>(use: (key: Uint8Array) => T): T {
    if (this.#isForgotten) throw new TypeError("the key was forgotten");
    scratch[0] = this.#word0;
    scratch[1] = this.#word1;
    scratch[2] = this.#word2;
    scratch[3] = this.#word3;
    scratch[4] = this.#word4;
    scratch[5] = this.#word5;
    scratch[6] = this.#word6;
    scratch[7] = this.#word7;
    try {
      return use(scratchBytes);
    } finally {
      scratch.fill(0);
    }
  }

  /** Overwrites the bytes; the key is of no use from here on. Idempotent. */
  forget(): void {
    this.#isForgotten = true;
    this.#take(scratch); // zero between calls
  }
}

/** @throws TypeError when another provider made the handle */
export function secretKey(handle: unknown): NodeSecretKey {
  if (!(handle instanceof NodeSecretKey)) throw foreignKey();
  return handle;
}
