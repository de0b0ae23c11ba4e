import type { Bytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CertificateSignatureScheme, CryptoProvider, SigningKey } from "../platform/index.ts";
import { certificateScheme } from "./certificate-scheme.ts";
import { requireDer } from "./der-reader.ts";
import { fromCertificateForm } from "./ecdsa-form.ts";
import { algorithmOf, type CertificateKey, readPublicKey } from "./public-key.ts";

/** A key that lies elsewhere: in a hardware module, on a machine without network, behind a service. */
export interface ExternalSigner {
  /** SubjectPublicKeyInfo, DER: P-384, P-256, or RSA of 2048 to 4096 bits. */
  readonly publicKey: Bytes;
  /**
   * Signs certificates, revocation lists and manifests as they are: ECDSA with SHA-384 (P-384) or SHA-256 (P-256) in DER, or
   * RSA-PSS with SHA-256 and a salt of 32 bytes. What it returns is verified before it is used.
   */
  sign(data: Bytes): Promise<Bytes>;
}

/** A signing key, and a provider that knows what to do with it. */
export interface SigningAbroad {
  /** Cannot be exported. */
  readonly key: SigningKey;
  /** Signs by that key where it lies; all else is the given provider's. */
  readonly crypto: CryptoProvider;
}

/**
 * Makes an external signer usable wherever a key of the root is.
 * @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` for another kind of key; later `ERR_SIGNER_FAILED` when it
 *   returns what is not its signature
 */
export function signAbroad(signer: ExternalSigner, crypto: CryptoProvider): SigningAbroad {
  const certificateKey = readKey(signer.publicKey);
  const algorithm = algorithmOf(certificateKey);
  const key: SigningKey = { algorithm, publicKey: signer.publicKey, handle: signer };
  const scheme = certificateScheme(algorithm);
  return {
    key,
    crypto: {
      ...crypto,
      sign: (by, data) =>
        by.handle === signer ? signChecked(signer, { scheme, crypto, data }) : crypto.sign(by, data),
      exportSigningKey: (of) => {
        if (of.handle === signer) throw new TypeError("the key of an external signer cannot be exported");
        return crypto.exportSigningKey(of);
      },
    },
  };
}

function readKey(spki: Bytes): CertificateKey {
  try {
    requireDer(spki);
    return readPublicKey(spki);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new PkiError("ERR_SIGNER_FAILED", "the signer's public key is no SubjectPublicKeyInfo", {
      cause,
    });
  }
}

interface CheckedSigning {
  readonly scheme: CertificateSignatureScheme;
  readonly crypto: CryptoProvider;
  readonly data: Bytes;
}

/** A certificate under a wrong signature would only be found by those who got it. */
async function signChecked(signer: ExternalSigner, { scheme, crypto, data }: CheckedSigning): Promise<Bytes> {
  const signature = await signer.sign(data);
  let plain: Bytes;
  try {
    plain = fromCertificateForm(scheme, signature);
  } catch (cause) {
    throw new PkiError("ERR_SIGNER_FAILED", "the signer returned no signature in DER", { cause });
  }
  if (await crypto.verifyCertificateSignature(signer.publicKey, scheme, plain, data)) return plain;
  throw new PkiError("ERR_SIGNER_FAILED", "the signer returned a signature by another key or scheme");
}
