import type { CertificateSignatureScheme, SignatureAlgorithm } from "../platform/index.ts";

/** How a key of ours signs certificates. */
export function certificateScheme(algorithm: SignatureAlgorithm): CertificateSignatureScheme {
  switch (algorithm) {
    case 1:
      return { name: "ECDSA", curve: "P-256", hash: "SHA-256" };
    case 2:
      return { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 };
    case 3:
      return { name: "ECDSA", curve: "P-384", hash: "SHA-384" };
  }
}
