import type { CryptoProvider } from "../../src/platform/index.ts";

/** How often each method of a provider was called. */
export type CallCounts = Partial<Record<keyof CryptoProvider, number>>;

/** The same provider, with its calls counted. */
export function countingCrypto(provider: CryptoProvider): { crypto: CryptoProvider; counts: CallCounts } {
  const counts: CallCounts = {};
  const crypto = new Proxy(provider, {
    get(target, property: keyof CryptoProvider) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        counts[property] = (counts[property] ?? 0) + 1;
        return Reflect.apply(member, target, args);
      };
    },
  });
  return { crypto, counts };
}
