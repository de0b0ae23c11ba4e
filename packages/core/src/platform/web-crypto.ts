import type { Bytes } from "../bytes/index.ts";
import { WireError } from "../errors/index.ts";
import type { CryptoProvider } from "./crypto.ts";
import { webAgreement } from "./web-crypto-agreement.ts";
import type { WebCryptoSource } from "./web-crypto-key.ts";
import { webSigning } from "./web-crypto-signing.ts";
import { webSymmetric } from "./web-crypto-symmetric.ts";

/**
 * The provider over WebCrypto, in pages, workers and Node. Private keys that it imports are not extractable.
 *
 * @param source another implementation of WebCrypto than the runtime's
 * @throws WireError `ERR_CRYPTO_MISSING` where WebCrypto is absent (a page over plain http off localhost)
 */
export function webCrypto(source: Partial<WebCryptoSource> | undefined = globalThis.crypto): CryptoProvider {
  const subtle = source?.subtle;
  if (source === undefined || subtle === undefined) {
    throw new WireError("ERR_CRYPTO_MISSING", "this context has no crypto.subtle");
  }
  return {
    randomBytes: (length) => randomBytes(source as WebCryptoSource, length), // a source with subtle is whole
    ...webSymmetric(subtle),
    ...webSigning(subtle),
    ...webAgreement(subtle),
  };
}

/** `getRandomValues` yields at most this many bytes a call (W3C Web Cryptography, section 10.1.1). */
const RANDOM_QUOTA = 65_536;

function randomBytes(source: WebCryptoSource, length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += RANDOM_QUOTA) {
    source.getRandomValues(bytes.subarray(offset, offset + RANDOM_QUOTA));
  }
  return bytes;
}
