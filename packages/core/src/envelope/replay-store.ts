import { type Bytes, SparseMap, toHex } from "../bytes/index.ts";
import type { Awaitable, Clock } from "../platform/index.ts";

/** An object that was handled. */
export interface HandledObject {
  /** 16 bytes. */
  readonly objectId: Bytes;
  /** Kind of the object; absent for what is no OBJECT, such as content that was opened. */
  readonly objectType?: number;
  /** SHA-256 of its payload. */
  readonly digest: Bytes;
  /** When the record may be forgotten, ms since 1970. */
  readonly expiresAt: number;
  /** Counter of the signer, when the object has one. */
  readonly counted:
    | { readonly signer: Bytes; readonly objectType: number; readonly counter: number }
    | undefined;
}

/** Remembers objects that were handled, until they expire; it outlives sessions, so that nothing counts twice. */
export interface ObjectReplayStore {
  /** Digest of the payload under this id, when an object with it was handled. */
  digestOf(objectId: Bytes): Awaitable<Bytes | undefined>;
  /** Highest counter of this signer's objects of this kind. */
  lastCounter(signer: Bytes, objectType: number): Awaitable<number | undefined>;
  /** Records one. */
  record(object: HandledObject): Awaitable<void>;
}

/** A store in memory: for what need not outlive the process. Counters are kept for its whole life. */
export function memoryReplayStore({ clock }: { readonly clock: Clock }): ObjectReplayStore {
  return new MemoryReplayStore(clock);
}

class MemoryReplayStore implements ObjectReplayStore {
  readonly #clock: Clock;
  readonly #handled = new SparseMap<string, Pick<HandledObject, "digest" | "expiresAt">>();
  readonly #counters = new SparseMap<string, number>();
  #nextPruneMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  digestOf(objectId: Bytes): Bytes | undefined {
    return this.#handled.get(toHex(objectId))?.digest;
  }

  lastCounter(signer: Bytes, objectType: number): number | undefined {
    return this.#counters.get(counterKey(signer, objectType));
  }

  record({ objectId, digest, expiresAt, counted }: HandledObject): void {
    this.#prune(this.#clock.now());
    this.#handled.set(toHex(objectId), { digest, expiresAt });
    if (counted === undefined) return;
    const key = counterKey(counted.signer, counted.objectType);
    this.#counters.set(key, Math.max(this.#counters.get(key) ?? 0, counted.counter));
  }

  #prune(nowMs: number): void {
    if (nowMs < this.#nextPruneMs) return;
    this.#nextPruneMs = nowMs + 60_000;
    for (const [id, { expiresAt }] of this.#handled) if (expiresAt <= nowMs) this.#handled.delete(id);
  }
}

function counterKey(signer: Bytes, objectType: number): string {
  return `${toHex(signer)}/${objectType}`;
}
