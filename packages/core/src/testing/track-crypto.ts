import type { CryptoProvider } from "../platform/index.ts";
import { afterMicrotasks } from "./macrotask.ts";

/** A crypto provider whose unfinished calls can be waited for. */
export interface TrackedCrypto {
  /** The same provider; every call is counted until it has finished. */
  readonly crypto: CryptoProvider;
  /** Resolves when no call is under way and no microtask is left: the `settle` of a virtual clock over WebCrypto. */
  readonly settled: () => Promise<void>;
}

/** Lets a virtual clock stand still while WebCrypto, which leaves the microtask queue, is working. */
export function trackCrypto(provider: CryptoProvider): TrackedCrypto {
  const underWay = new Set<Promise<unknown>>();
  const crypto = new Proxy(provider, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        const outcome: unknown = Reflect.apply(member, target, args);
        if (outcome instanceof Promise) track(underWay, outcome);
        return outcome;
      };
    },
  });
  const settled = async (): Promise<void> => {
    await afterMicrotasks();
    while (underWay.size > 0) {
      await Promise.allSettled(underWay);
      await afterMicrotasks();
    }
  };
  return { crypto, settled };
}

function track(underWay: Set<Promise<unknown>>, promise: Promise<unknown>): void {
  underWay.add(promise);
  const done = (): void => {
    underWay.delete(promise);
  };
  promise.then(done, done);
}
