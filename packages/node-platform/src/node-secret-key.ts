import type { Bytes } from "@photinus/core/bytes";
import { foreignKey } from "./node-crypto-key.ts";

const KEY_BYTES = 32;

/** Memory outside V8's heap from which OpenSSL reads the key of the call that is under way; zero between calls. */
const scratch = new Uint8Array(new ArrayBuffer(KEY_BYTES));

/**
 * An AES-256 key as this provider holds it: its bytes, inside V8's heap. A key object of Node's is 1.4 KiB, most of it
 * outside the heap, and each session has two for as long as it lives.
 */
export class NodeSecretKey {
  #bytes: Uint8Array | undefined;

  /** @param raw copied */
  constructor(raw: Bytes) {
    if (raw.length !== KEY_BYTES) throw new RangeError("an AES-256 key has 32 bytes");
    this.#bytes = new Uint8Array(raw);
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
    if (this.#bytes === undefined) throw new TypeError("the key was forgotten");
    // Node moves an array that it is given out of the heap for good: it never sees the one that is kept.
    scratch.set(this.#bytes);
    try {
      return use(scratch);
    } finally {
      scratch.fill(0);
    }
  }

  /** Overwrites the bytes; the key is of no use from here on. Idempotent. */
  forget(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }
}

/** @throws TypeError when another provider made the handle */
export function secretKey(handle: unknown): NodeSecretKey {
  if (!(handle instanceof NodeSecretKey)) throw foreignKey();
  return handle;
}
