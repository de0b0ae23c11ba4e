import { type Bus, type BusListener, type Clock, localBus } from "../platform/index.ts";

/** A process's end of a bus in memory, which a test can cut. */
export interface MemoryBusEnd extends Bus {
  /** From now on nothing gets through, either way. */
  cut(): void;
  /** In touch again; what was told meanwhile is lost. */
  restore(): void;
}

/** A bus in memory. @returns makes the end of one process */
export function memoryBus({ clock }: { readonly clock: Clock }): () => MemoryBusEnd {
  const line = localBus();
  return () => {
    let cutSinceMs: number | undefined;
    const listeners = new Set<BusListener>();
    return {
      get cutSinceMs() {
        return cutSinceMs;
      },
      publish(subject, notice): void {
        if (cutSinceMs === undefined) line.publish(subject, notice);
      },
      subscribe(subject, listener): () => void {
        listeners.add(listener);
        const end = line.subscribe(subject, {
          take: (notice) => {
            if (cutSinceMs === undefined) listener.take(notice);
          },
        });
        return () => {
          listeners.delete(listener);
          end();
        };
      },
      cut(): void {
        cutSinceMs ??= clock.now();
      },
      restore(): void {
        cutSinceMs = undefined;
        for (const { restored } of [...listeners]) restored?.();
      },
    };
  };
}
