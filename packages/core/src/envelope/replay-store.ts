import { type Bytes, toHex } from "../bytes/index.ts";
import type { Awaitable, Clock } from "../platform/index.ts";

/** An object that was handled. */
export interface HandledObject {
  /** 16 bytes. */
  readonly objectId: Bytes;
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

/** A store in memory: for a process that keeps no state, such as a page. Counters are kept for its whole life. */
export function memoryReplayStore({ clock }: { readonly clock: Clock }): ObjectReplayStore {
  const handled = new Map<string, { readonly digest: Bytes; readonly expiresAt: number }>();
  const counters = new Map<string, number>();
  let nextPruneMs = 0;
  const prune = (nowMs: number): void => {
    if (nowMs < nextPruneMs) return;
    nextPruneMs = nowMs + 60_000;
    for (const [id, { expiresAt }] of handled) if (expiresAt <= nowMs) handled.delete(id);
  };
  const counterKey = (signer: Bytes, objectType: number): string => `${toHex(signer)}/${objectType}`;
  return {
    digestOf: (objectId) => handled.get(toHex(objectId))?.digest,
    lastCounter: (signer, objectType) => counters.get(counterKey(signer, objectType)),
    record({ objectId, digest, expiresAt, counted }) {
      prune(clock.now());
      handled.set(toHex(objectId), { digest, expiresAt });
      if (counted !== undefined) {
        const key = counterKey(counted.signer, counted.objectType);
        counters.set(key, Math.max(counters.get(key) ?? 0, counted.counter));
      }
    },
  };
}
