import { type Bytes, concatBytes } from "../bytes/index.ts";
import type { CryptoProvider, OpenApartRequest, SealIntoRequest, SecretKey } from "../platform/index.ts";

/** Bytes of an AES-GCM tag. */
export const TAG_BYTES = 16;

/** Encrypts parts into memory of the caller, without copies in between where the provider can. */
export async function sealInto(
  crypto: CryptoProvider,
  key: SecretKey,
  request: SealIntoRequest,
): Promise<void> {
  if (crypto.aesGcmSealInto !== undefined) {
    await crypto.aesGcmSealInto(key, request);
    return;
  }
  const { iv, aad, parts, ciphertext, tag } = request;
  const [only] = parts;
  const plaintext = parts.length === 1 && only !== undefined ? only : concatBytes(...parts);
  const sealed = await crypto.aesGcmSeal(key, iv, plaintext, aad);
  ciphertext.set(sealed.subarray(0, ciphertext.byteLength));
  tag.set(sealed.subarray(ciphertext.byteLength));
}

/** Decrypts a ciphertext whose tag lies elsewhere. @returns `undefined` when it does not authenticate */
export async function openApart(
  crypto: CryptoProvider,
  key: SecretKey,
  request: OpenApartRequest,
): Promise<Bytes | undefined> {
  if (crypto.aesGcmOpenApart !== undefined) return await crypto.aesGcmOpenApart(key, request);
  const { iv, aad, ciphertext, tag } = request;
  return await crypto.aesGcmOpen(key, iv, concatBytes(ciphertext, tag), aad);
}
