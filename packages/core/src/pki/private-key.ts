import { type Bytes, toBytes, utf8 } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { requireDer } from "./der-reader.ts";
import { integer, NULL, objectIdentifier, octetString, sequence } from "./der-writer.ts";
import { loadPki, type PkiLibraries } from "./libraries.ts";
import { OID } from "./object-identifiers.ts";

/** Rounds of PBKDF2 for generated secrets of 128 bits: there is nothing to guess, so start-up stays fast. */
export const GENERATED_SECRET_ITERATIONS = 2048;

/** Rounds of PBKDF2 for passphrases that people choose. */
export const PASSPHRASE_ITERATIONS = 600_000;

/** More rounds than this would only keep the reader busy. */
const MAX_ITERATIONS = 10_000_000;
const MAX_KEY_BYTES = 16_384;

/**
 * Encrypts a private key as EncryptedPrivateKeyInfo by PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC (RFC 8018), as
 * openssl reads it.
 *
 * @param pkcs8 PrivateKeyInfo, DER
 * @param options `iterations`: {@link GENERATED_SECRET_ITERATIONS} or {@link PASSPHRASE_ITERATIONS}
 * @returns DER
 */
export async function sealPrivateKey(
  pkcs8: Bytes,
  { passphrase, iterations }: { readonly passphrase: string; readonly iterations: number },
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<Bytes> {
  const salt = crypto.randomBytes(16);
  const iv = crypto.randomBytes(16);
  const key = await crypto.pbkdf2Sha256(utf8(passphrase), salt, iterations, 32);
  const derivation = sequence(
    objectIdentifier(OID.pbkdf2),
    sequence(octetString(salt), integer(iterations), sequence(objectIdentifier(OID.hmacSha256), NULL)),
  );
  const encryption = sequence(objectIdentifier(OID.aes256Cbc), octetString(iv));
  return sequence(
    sequence(objectIdentifier(OID.pbes2), sequence(derivation, encryption)),
    octetString(await crypto.aesCbcSeal(key, iv, pkcs8)),
  );
}

/**
 * Decrypts what {@link sealPrivateKey} or openssl wrote.
 * @returns PrivateKeyInfo, DER
 * @throws PkiError `ERR_KEY_UNREADABLE` for a wrong passphrase, damage, or another scheme
 */
export async function openPrivateKey(
  encrypted: Bytes,
  passphrase: string,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<Bytes> {
  const libraries = await loadPki();
  const { salt, iterations, iv, ciphertext } = asUnreadable(() => read(encrypted, libraries));
  const key = await crypto.pbkdf2Sha256(utf8(passphrase), salt, iterations, 32);
  const pkcs8 = await crypto.aesCbcOpen(key, iv, ciphertext);
  if (pkcs8 === undefined) throw new PkiError("ERR_KEY_UNREADABLE", "the passphrase does not open the key");
  // One wrong passphrase in 256 yields a valid padding; what it yields is not DER.
  asUnreadable(() => requireDer(pkcs8));
  return pkcs8;
}

function asUnreadable<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof PkiError) throw cause;
    throw new PkiError("ERR_KEY_UNREADABLE", "not an encrypted private key, or the wrong passphrase", {
      cause,
    });
  }
}

interface EncryptedKey {
  readonly salt: Bytes;
  readonly iterations: number;
  readonly iv: Bytes;
  readonly ciphertext: Bytes;
}

function read(der: Bytes, { asn1, pkijs }: PkiLibraries): EncryptedKey {
  if (der.length > MAX_KEY_BYTES) throw new RangeError(`key file of ${der.length} bytes`);
  requireDer(der);
  const { encryptionAlgorithm, encryptedData } = pkijs.PKCS8ShroudedKeyBag.fromBER(der);
  requireAlgorithm(encryptionAlgorithm.algorithmId, OID.pbes2);
  const { keyDerivationFunc, encryptionScheme } = new pkijs.PBES2Params({
    schema: encryptionAlgorithm.algorithmParams,
  });
  requireAlgorithm(keyDerivationFunc.algorithmId, OID.pbkdf2);
  requireAlgorithm(encryptionScheme.algorithmId, OID.aes256Cbc);
  const derivation = new pkijs.PBKDF2Params({ schema: keyDerivationFunc.algorithmParams });
  requireAlgorithm(derivation.prf?.algorithmId, OID.hmacSha256);
  const octets = (value: unknown): Bytes => {
    if (!(value instanceof asn1.OctetString)) throw new RangeError("expected an octet string");
    return toBytes(value.valueBlock.valueHexView.slice());
  };
  const iv = octets(encryptionScheme.algorithmParams);
  const ciphertext = octets(encryptedData);
  const salt = octets(derivation.salt);
  requireLengths({ salt, iv, ciphertext }, derivation.iterationCount);
  return { salt, iterations: derivation.iterationCount, iv, ciphertext };
}

function requireAlgorithm(present: string | undefined, expected: string): void {
  if (present === expected) return;
  throw new PkiError(
    "ERR_KEY_UNREADABLE",
    "the key is not encrypted by PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC",
  );
}

function requireLengths(
  { salt, iv, ciphertext }: Omit<EncryptedKey, "iterations">,
  iterations: number,
): void {
  const isWithinLimits =
    salt.length >= 8 && salt.length <= 64 && iterations >= 1 && iterations <= MAX_ITERATIONS;
  const isWholeBlocks = iv.length === 16 && ciphertext.length > 0 && ciphertext.length % 16 === 0;
  if (!isWithinLimits || !isWholeBlocks)
    throw new RangeError("parameters of the encryption are out of range");
}
