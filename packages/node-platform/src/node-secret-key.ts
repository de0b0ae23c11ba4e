import type { Bytes } from "@photinus/core/bytes";
import { foreignKey } from "./node-crypto-key.ts";

const KEY_BYTES = 32;

/** Memory from which OpenSSL reads the key of the call that is under way; zero between calls. */
const scratch = new Int32Array(KEY_BYTES / 4);
const scratchBytes = new Uint8Array(scratch.buffer);

/**
 * An AES-256 key as this provider holds it: eight words, 112 bytes of V8's heap. A typed array would be 232, a key object
 * of Node's 1.4 KiB, and each session has two keys for as long as it lives.
 */
export class NodeSecretKey {
  #words: number[] | undefined;

  /** @param raw copied */
  constructor(raw: Bytes) {
    if (raw.length !== KEY_BYTES) throw new RangeError("an AES-256 key has 32 bytes");
    scratchBytes.set(raw);
    this.#words = new Array(scratch.length);
    for (let index = 0; index < scratch.length; index++) this.#words[index] = scratch[index] ?? 0;
    scratch.fill(0);
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
    if (this.#words === undefined) throw new TypeError("the key was forgotten");
    scratch.set(this.#words);
    try {
      return use(scratchBytes);
    } finally {
      scratch.fill(0);
    }
  }

  /** Overwrites the bytes; the key is of no use from here on. Idempotent. */
  forget(): void {
    this.#words?.fill(0);
    this.#words = undefined;
  }
}

/** @throws TypeError when another provider made the handle */
export function secretKey(handle: unknown): NodeSecretKey {
  if (!(handle instanceof NodeSecretKey)) throw foreignKey();
  return handle;
}
