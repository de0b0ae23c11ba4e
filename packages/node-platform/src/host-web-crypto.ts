import { WireError } from "@photinus/core/errors";
import { type CryptoProvider, type WebCryptoSource, webCrypto } from "@photinus/core/platform";
import { strictSubtle } from "./strict-subtle.ts";

/** Options of {@link hostWebCrypto}. */
export interface HostWebCryptoOptions {
  /** WebCrypto of the host, as far as it is there. Default `globalThis.crypto`. */
  readonly host?: Partial<WebCryptoSource>;
  /** Brings another implementation; called only where the host has none. Default `@peculiar/webcrypto`. */
  readonly load?: () => Promise<WebCryptoSource>;
}

/**
 * WebCrypto in whatever host this is: the host's own, else `@peculiar/webcrypto` over node:crypto, which is loaded only then
 * (Node 18, jsdom). Hosts of Photinus use `nodeCrypto`; this is for programs that run core elsewhere.
 *
 * @throws WireError `ERR_CRYPTO_MISSING` when the host has none and the package is not installed
 */
export async function hostWebCrypto({
  host = globalThis.crypto,
  load = loadPeculiar,
}: HostWebCryptoOptions = {}): Promise<CryptoProvider> {
  return webCrypto(host?.subtle === undefined ? await load() : host);
}

async function loadPeculiar(): Promise<WebCryptoSource> {
  try {
    const { Crypto } = await import("@peculiar/webcrypto");
    const crypto = new Crypto();
    return {
      subtle: strictSubtle(crypto.subtle),
      getRandomValues: (array) => crypto.getRandomValues(array),
    };
  } catch (cause) {
    throw new WireError(
      "ERR_CRYPTO_MISSING",
      "this host has no crypto.subtle: install @peculiar/webcrypto, or use Node 20 or later",
      { cause },
    );
  }
}
