import type { KeyObject } from "node:crypto";
import { agree, hmac, open, publicBytes, seal, sha256 } from "./primitives.ts";
import { demand } from "./refused.ts";

// Noise_XX_25519_AESGCM_SHA256, Noise specification revision 34.

const AUTH_FAILED = 4003;
const PATTERN: readonly (readonly string[])[] = [["e"], ["e", "ee", "s", "es"], ["s", "se"]];

/** `00000000 ‖ n u64`. */
export function nonce(n: number): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeBigUInt64BE(BigInt(n), 4);
  return iv;
}

function derive(chainingKey: Buffer, input: Buffer): readonly [Buffer, Buffer] {
  const temporary = hmac(chainingKey, input);
  const first = hmac(temporary, Buffer.of(1));
  return [first, hmac(temporary, Buffer.concat([first, Buffer.of(2)]))];
}

/** One side of a handshake. */
export class Noise {
  hash: Buffer = Buffer.from("Noise_XX_25519_AESGCM_SHA256".padEnd(32, "\0"));
  readonly #isInitiator: boolean;
  readonly #own: Readonly<Record<"e" | "s", KeyObject>>;
  readonly #peer: { e?: Buffer; s?: Buffer } = {};
  #chainingKey: Buffer = this.hash;
  #key: Buffer | undefined;
  #counter = 0;
  #message = 0;

  constructor(isInitiator: boolean, prologue: Buffer, own: { readonly e: KeyObject; readonly s: KeyObject }) {
    this.#isInitiator = isInitiator;
    this.#own = own;
    this.#mixHash(prologue);
  }

  /** The keys of the next message of ours. */
  writeTokens(): Buffer {
    const parts = this.#tokens().map((token) => {
      if (token === "e") return this.#mixedHash(publicBytes(this.#own.e));
      if (token === "s") return this.#encrypt(publicBytes(this.#own.s));
      this.#agree(token);
      return Buffer.alloc(0);
    });
    return Buffer.concat(parts);
  }

  /** Its payload, encrypted. */
  writePayload(payload: Buffer): Buffer {
    this.#message += 1;
    return this.#encrypt(payload);
  }

  /** The keys of the peer's next message. @returns the rest */
  readTokens(message: Buffer): Buffer {
    let rest = message;
    const take = (length: number): Buffer => {
      demand(rest.length >= length, AUTH_FAILED, "a message that is too short");
      const part = rest.subarray(0, length);
      rest = rest.subarray(length);
      return part;
    };
    for (const token of this.#tokens()) {
      if (token === "e") this.#peer.e = this.#mixedHash(take(32));
      else if (token === "s") this.#peer.s = this.#decrypt(take(48));
      else this.#agree(token);
    }
    return rest;
  }

  /** The payload of the peer's message. */
  readPayload(rest: Buffer): Buffer {
    this.#message += 1;
    return this.#decrypt(rest);
  }

  /** Keys of client to server and of server to client. */
  split(): readonly [Buffer, Buffer] {
    return derive(this.#chainingKey, Buffer.alloc(0));
  }

  #tokens(): readonly string[] {
    return PATTERN[this.#message] ?? [];
  }

  #agree(token: string): void {
    // The first letter names the key of the initiator, the second that of the responder.
    const [mine, theirs] = this.#isInitiator ? token : [token.charAt(1), token.charAt(0)];
    const peer = theirs === "e" ? this.#peer.e : this.#peer.s;
    demand(peer !== undefined, AUTH_FAILED, "no key of the peer yet");
    const [chainingKey, key] = derive(this.#chainingKey, agree(this.#own[mine === "e" ? "e" : "s"], peer));
    this.#chainingKey = chainingKey;
    this.#key = key;
    this.#counter = 0;
  }

  #mixHash(data: Buffer): void {
    this.hash = sha256(this.hash, data);
  }

  #mixedHash(data: Buffer): Buffer {
    this.#mixHash(data);
    return data;
  }

  #encrypt(plaintext: Buffer): Buffer {
    if (this.#key === undefined) return this.#mixedHash(plaintext);
    return this.#mixedHash(seal(this.#key, nonce(this.#counter++), plaintext, this.hash));
  }

  #decrypt(ciphertext: Buffer): Buffer {
    if (this.#key === undefined) return this.#mixedHash(ciphertext);
    const plaintext = open(this.#key, nonce(this.#counter++), ciphertext, this.hash);
    demand(plaintext !== undefined, AUTH_FAILED, "a part that does not authenticate");
    this.#mixHash(ciphertext);
    return plaintext;
  }
}
