import { type Bytes, toBase64 } from "@photinus/core/bytes";

/** Certificate and key as TLS of Node takes them, PEM. */
export interface TlsIdentity {
  /** Chain, leaf first. */
  readonly certificate: string;
  /** PKCS#8, not encrypted: in memory only. */
  readonly privateKey: string;
}

/** DER in the textual form of RFC 7468. */
export function pem(label: "CERTIFICATE" | "PRIVATE KEY", der: Bytes): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/**
 * TLS with a certificate of the project.
 * @param chain DER, leaf first
 * @param pkcs8 private key of the leaf, DER
 */
export function tlsIdentity(chain: readonly Bytes[], pkcs8: Bytes): TlsIdentity {
  return {
    certificate: chain.map((der) => pem("CERTIFICATE", der)).join(""),
    privateKey: pem("PRIVATE KEY", pkcs8),
  };
}
