import type { Bytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { SignatureAlgorithm } from "../platform/index.ts";
import type { PkiLibraries } from "./libraries.ts";
import { OID } from "./object-identifiers.ts";

/** A subject's public key. */
export interface CertificateKey {
  /** SubjectPublicKeyInfo, DER, as the certificate carries it. */
  readonly spki: Bytes;
  /** Curve of the key, or RSA. */
  readonly kind: "RSA" | "P-256" | "P-384" | "P-521";
}

const CURVES: ReadonlyMap<string, CertificateKey["kind"]> = new Map([
  [OID.p256, "P-256"],
  [OID.p384, "P-384"],
  [OID.p521, "P-521"],
]);

/** @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` for another kind of key */
export function readPublicKey(spki: Bytes, { asn1, pkijs }: PkiLibraries): CertificateKey {
  const { algorithm } = pkijs.PublicKeyInfo.fromBER(spki);
  if (algorithm.algorithmId === OID.rsaEncryption) return { spki, kind: "RSA" };
  const parameters: unknown = algorithm.algorithmParams;
  if (algorithm.algorithmId === OID.ecPublicKey && parameters instanceof asn1.ObjectIdentifier) {
    const kind = CURVES.get(parameters.valueBlock.toString());
    if (kind !== undefined) return { spki, kind };
  }
  throw new PkiError("ERR_CERTIFICATE_UNSUPPORTED", `public key algorithm ${algorithm.algorithmId}`);
}

/**
 * The algorithm by which a key of this kind signs in Photinus.
 * @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` for P-521
 */
export function algorithmOf({ kind }: CertificateKey): SignatureAlgorithm {
  switch (kind) {
    case "P-256":
      return 1;
    case "RSA":
      return 2;
    case "P-384":
      return 3;
    case "P-521":
      throw new PkiError("ERR_CERTIFICATE_UNSUPPORTED", "P-521 keys do not sign in Photinus");
  }
}
