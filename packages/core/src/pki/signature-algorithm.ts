import { type Bytes, toHex } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CertificateHash, CertificateSignatureScheme, SignatureAlgorithm } from "../platform/index.ts";
import { derChildren, derObjectIdentifier } from "./der-reader.ts";
import { explicit, integer, NULL, objectIdentifier, sequence } from "./der-writer.ts";
import { OID } from "./object-identifiers.ts";
import type { CertificateKey } from "./public-key.ts";

/** The algorithm that an AlgorithmIdentifier names; the curve of ECDSA is that of the signer's key. */
export type NamedSignatureAlgorithm =
  | { readonly name: "ECDSA"; readonly hash: CertificateHash }
  | { readonly name: "RSASSA-PKCS1-v1_5"; readonly hash: CertificateHash }
  | { readonly name: "RSA-PSS"; readonly hash: CertificateHash; readonly saltLength: number };

/** AlgorithmIdentifier of what a signing key of ours makes, DER. */
export function signatureAlgorithmIdentifier(algorithm: SignatureAlgorithm): Bytes {
  switch (algorithm) {
    case 1:
      return sequence(objectIdentifier(OID.ecdsaSha256));
    case 2:
      return sequence(objectIdentifier(OID.rsaPss), pssParameters(OID.sha256, 32));
    case 3:
      return sequence(objectIdentifier(OID.ecdsaSha384));
  }
}

const HASHES = [
  ["SHA-256", OID.sha256, 32],
  ["SHA-384", OID.sha384, 48],
  ["SHA-512", OID.sha512, 64],
] as const;

/** RSASSA-PSS-params with MGF1 of the same hash and a salt as long as the hash (RFC 4055, section 3.1). */
function pssParameters(hashOid: string, saltLength: number): Bytes {
  const hash = sequence(objectIdentifier(hashOid), NULL);
  const mgf1 = sequence(objectIdentifier(OID.mgf1), hash);
  return sequence(explicit(0, hash), explicit(1, mgf1), explicit(2, integer(saltLength)));
}

/** [W-145] AlgorithmIdentifiers, DER in hex: each algorithm has one, with exactly these parameters. */
const ALGORITHMS: ReadonlyMap<string, NamedSignatureAlgorithm> = new Map([
  known({ name: "ECDSA", hash: "SHA-256" }, objectIdentifier(OID.ecdsaSha256)),
  known({ name: "ECDSA", hash: "SHA-384" }, objectIdentifier(OID.ecdsaSha384)),
  known({ name: "ECDSA", hash: "SHA-512" }, objectIdentifier(OID.ecdsaSha512)),
  known({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, objectIdentifier(OID.rsaSha256), NULL),
  known({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" }, objectIdentifier(OID.rsaSha384), NULL),
  known({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" }, objectIdentifier(OID.rsaSha512), NULL),
  ...HASHES.map(([hash, oid, saltLength]) =>
    known(
      { name: "RSA-PSS", hash, saltLength },
      objectIdentifier(OID.rsaPss),
      pssParameters(oid, saltLength),
    ),
  ),
]);

function known(
  algorithm: NamedSignatureAlgorithm,
  ...identifier: readonly Bytes[]
): readonly [string, NamedSignatureAlgorithm] {
  return [toHex(sequence(...identifier)), algorithm];
}

/**
 * Reads an AlgorithmIdentifier, of which `requireDer` has checked the whole.
 * @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` for an algorithm or parameters that are not supported
 */
export function readSignatureAlgorithm(der: Bytes): NamedSignatureAlgorithm {
  const algorithm = ALGORITHMS.get(toHex(der));
  if (algorithm !== undefined) return algorithm;
  const [type] = derChildren(der);
  throw unsupported(type === undefined ? "without a name" : derObjectIdentifier(type));
}

/**
 * The complete scheme of a signature by this key.
 * @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` when the key cannot have made such a signature
 */
export function schemeOf(
  algorithm: NamedSignatureAlgorithm,
  key: CertificateKey,
): CertificateSignatureScheme {
  if ((algorithm.name === "ECDSA") === (key.kind === "RSA")) {
    throw new PkiError("ERR_CERTIFICATE_UNSUPPORTED", `a ${key.kind} key does not sign by ${algorithm.name}`);
  }
  return algorithm.name === "ECDSA" && key.kind !== "RSA"
    ? { name: "ECDSA", curve: key.kind, hash: algorithm.hash }
    : (algorithm as Exclude<NamedSignatureAlgorithm, { name: "ECDSA" }>); // the pair was checked above
}

function unsupported(algorithmId: string): PkiError {
  return new PkiError(
    "ERR_CERTIFICATE_UNSUPPORTED",
    `signature algorithm ${algorithmId} with these parameters is not supported`,
  );
}
