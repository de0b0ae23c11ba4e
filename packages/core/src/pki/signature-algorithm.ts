import type { Bytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CertificateHash, CertificateSignatureScheme, SignatureAlgorithm } from "../platform/index.ts";
import { explicit, integer, NULL, objectIdentifier, sequence } from "./der-writer.ts";
import type { PkiLibraries } from "./libraries.ts";
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
      return sequence(objectIdentifier(OID.rsaPss), pssParameters());
    case 3:
      return sequence(objectIdentifier(OID.ecdsaSha384));
  }
}

/** RSASSA-PSS-params for SHA-256 and a salt of 32 bytes (RFC 4055, section 3.1). */
function pssParameters(): Bytes {
  const sha256 = sequence(objectIdentifier(OID.sha256), NULL);
  const mgf1 = sequence(objectIdentifier(OID.mgf1), sha256);
  return sequence(explicit(0, sha256), explicit(1, mgf1), explicit(2, integer(32)));
}

const SIMPLE: ReadonlyMap<string, NamedSignatureAlgorithm> = new Map([
  [OID.ecdsaSha256, { name: "ECDSA", hash: "SHA-256" }],
  [OID.ecdsaSha384, { name: "ECDSA", hash: "SHA-384" }],
  [OID.ecdsaSha512, { name: "ECDSA", hash: "SHA-512" }],
  [OID.rsaSha256, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }],
  [OID.rsaSha384, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" }],
  [OID.rsaSha512, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" }],
]);

const HASHES: ReadonlyMap<string, CertificateHash> = new Map([
  [OID.sha256, "SHA-256"],
  [OID.sha384, "SHA-384"],
  [OID.sha512, "SHA-512"],
]);

/**
 * Reads an AlgorithmIdentifier.
 * @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` for an algorithm or parameters that are not supported
 */
export function readSignatureAlgorithm(der: Bytes, { pkijs }: PkiLibraries): NamedSignatureAlgorithm {
  const { algorithmId, algorithmParams } = pkijs.AlgorithmIdentifier.fromBER(der);
  const simple = SIMPLE.get(algorithmId);
  if (simple !== undefined) return simple;
  if (algorithmId !== OID.rsaPss || algorithmParams === undefined) throw unsupported(algorithmId);
  const parameters = new pkijs.RSASSAPSSParams({ schema: algorithmParams });
  const hash = HASHES.get(parameters.hashAlgorithm.algorithmId);
  const mask = parameters.maskGenAlgorithm;
  const maskHash = new pkijs.AlgorithmIdentifier({ schema: mask.algorithmParams }).algorithmId;
  const isUniform = mask.algorithmId === OID.mgf1 && HASHES.get(maskHash) === hash;
  if (hash === undefined || !isUniform || parameters.trailerField !== 1) throw unsupported(algorithmId);
  return { name: "RSA-PSS", hash, saltLength: parameters.saltLength };
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
  return new PkiError("ERR_CERTIFICATE_UNSUPPORTED", `signature algorithm ${algorithmId} is not supported`);
}
