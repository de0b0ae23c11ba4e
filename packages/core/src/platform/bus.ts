import type { Bytes } from "../bytes/index.ts";

/** Who hears notices of a subject. */
export interface BusListener {
  /** A notice came, perhaps this process's own. Not to be changed. */
  readonly take: (notice: Bytes) => void;
  /** The others are in touch again: what was told meanwhile is lost. */
  readonly restored?: () => void;
}

/**
 * Short notices between the server processes of a project: at most once, those of one sender in their order, to all who
 * listen. What must not be lost stands in the metadata; the bus tells of it sooner.
 */
export interface Bus {
  /** Tells everybody who listens; what cannot be told is lost. @param notice at most 4 096 bytes */
  publish(subject: string, notice: Bytes): void;
  /** Hears a subject. @returns ends it; idempotent */
  subscribe(subject: string, listener: BusListener): () => void;
  /** Since when this process has lost touch with the others, ms since 1970; `undefined` while it has not. */
  readonly cutSinceMs: number | undefined;
}

/** Most bytes of a notice. */
export const MAX_NOTICE_BYTES = 4096;

/** The bus of all servers in one process: each notice arrives in the next microtask, and touch is never lost. */
export function localBus(): Bus {
  const listeners = new Map<string, Set<BusListener>>();
  return {
    cutSinceMs: undefined,
    publish(subject, notice): void {
      if (notice.byteLength > MAX_NOTICE_BYTES)
        throw new RangeError(`a notice of ${notice.byteLength} bytes`);
      const copy = Uint8Array.from(notice);
      queueMicrotask(() => {
        for (const { take } of [...(listeners.get(subject) ?? [])]) take(copy);
      });
    },
    subscribe(subject, listener): () => void {
      const those = listeners.get(subject) ?? new Set();
      listeners.set(subject, those.add(listener));
      return () => {
        those.delete(listener);
      };
    },
  };
}
