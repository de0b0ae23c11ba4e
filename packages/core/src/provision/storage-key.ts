import * as v from "valibot";
import { type Bytes, fromBase64Url, fromUtf8, toBase64Url, utf8 } from "../bytes/index.ts";
import { ProvisionError } from "../errors/index.ts";
import { GENERATED_SECRET_ITERATIONS } from "../pki/index.ts";
import type { CryptoProvider } from "../platform/index.ts";

const StorageKeySchema = v.strictObject({
  version: v.literal(1),
  derivation: v.literal("PBKDF2-HMAC-SHA256"),
  iterations: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(10_000_000)),
  salt: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/)),
  /** AES-KW (RFC 3394) of 32 bytes: 40 bytes. */
  wrapped: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{54}$/)),
});

/** Wraps the server's storage key under the kit's secret. @param secret 128 random bits as text @returns JSON, UTF-8 */
export async function sealStorageKey(key: Bytes, secret: string, crypto: CryptoProvider): Promise<Bytes> {
  const salt = crypto.randomBytes(16);
  const iterations = GENERATED_SECRET_ITERATIONS;
  const wrapping = await crypto.pbkdf2Sha256(utf8(secret), salt, iterations, 32);
  const file: v.InferOutput<typeof StorageKeySchema> = {
    version: 1,
    derivation: "PBKDF2-HMAC-SHA256",
    iterations,
    salt: toBase64Url(salt),
    wrapped: toBase64Url(await crypto.aesKeyWrap(wrapping, key)),
  };
  return utf8(`${JSON.stringify(file, undefined, 2)}\n`);
}

/** @returns 32 bytes @throws ProvisionError `ERR_KIT_UNREADABLE` */
export async function openStorageKey(file: Bytes, secret: string, crypto: CryptoProvider): Promise<Bytes> {
  const { salt, iterations, wrapped } = parse(file);
  const wrapping = await crypto.pbkdf2Sha256(utf8(secret), fromBase64Url(salt), iterations, 32);
  const key = await crypto.aesKeyUnwrap(wrapping, fromBase64Url(wrapped));
  if (key === undefined)
    throw new ProvisionError("ERR_KIT_UNREADABLE", "the secret does not open storage-key.json");
  return key;
}

function parse(file: Bytes): v.InferOutput<typeof StorageKeySchema> {
  try {
    if (file.length > 4096) throw new RangeError(`${file.length} bytes`);
    return v.parse(StorageKeySchema, JSON.parse(fromUtf8(file)));
  } catch (cause) {
    throw new ProvisionError("ERR_KIT_UNREADABLE", "storage-key.json is not a wrapped key", { cause });
  }
}
