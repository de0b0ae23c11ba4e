import type { KeyObject } from "node:crypto";
import { type Bytes, packBytes, unpackBytes } from "@photinus/core/bytes";
import type { SignatureAlgorithm } from "@photinus/core/platform";
import { foreignKey, importPublicKey, kindOf, requireKind } from "./node-crypto-key.ts";

/**
 * A public key as this provider holds it: as its certificate carries it, packed. A key object of Node's is 2.9 KiB outside
 * the heap, and a server knows a key of each session and of each chain that it remembers; a part of the certificate would
 * keep all of it.
 */
export class NodeVerifyingKey {
  /** What it verifies. */
  readonly algorithm: SignatureAlgorithm;
  readonly #spki: string;

  /** @param spki copied */
  constructor(spki: Bytes, algorithm: SignatureAlgorithm) {
    this.#spki = packBytes(spki);
    this.algorithm = algorithm;
  }

  /** SubjectPublicKeyInfo, DER. */
  get spki(): Bytes {
    return unpackBytes(this.#spki);
  }

  /** Its own handle: one object less for each key. */
  get handle(): this {
    return this;
  }
}

/** @throws TypeError when another provider made the handle */
export function verifyingKey(handle: unknown): NodeVerifyingKey {
  if (!(handle instanceof NodeVerifyingKey)) throw foreignKey();
  return handle;
}

/** Key objects that are kept at least, 2.9 KiB each; twice as many at most. */
const GENERATION = 512;

/**
 * The key objects of the keys that verified last: making one takes as long as a verification. Two generations instead of
 * a list in order of use: whoever is in the older one and asked for moves to the younger, which replaces it when full.
 */
export class KeyObjects {
  readonly #generation: number;
  #young = new Map<NodeVerifyingKey, KeyObject>();
  #old: ReadonlyMap<NodeVerifyingKey, KeyObject> = new Map();

  /** @param generation key objects that are kept at least */
  constructor(generation: number = GENERATION) {
    this.#generation = generation;
  }

  /** Number of key objects that are kept. */
  get size(): number {
    return new Set([...this.#young.keys(), ...this.#old.keys()]).size;
  }

  /** The key object, made now unless it is kept. @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` */
  of(key: NodeVerifyingKey): KeyObject {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const found = this.#old.get(key) ?? imported(key);
    if (this.#young.size >= this.#generation) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, found);
    return found;
  }
}

function imported({ spki, algorithm }: NodeVerifyingKey): KeyObject {
  const key = importPublicKey(spki);
  requireKind(key, kindOf(algorithm), "ERR_CERTIFICATE_UNSUPPORTED");
  return key;
}
