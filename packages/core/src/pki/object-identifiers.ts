/** Object identifiers that Photinus reads or writes, by name. */
export const OID = {
  /** RFC 5280, appendix A.1. */
  commonName: "2.5.4.3",
  /** RFC 5280, appendix A.1. */
  organization: "2.5.4.10",
  /** RFC 5280, appendix A.1. */
  organizationalUnit: "2.5.4.11",

  /** RFC 5280, appendix A.1; PKCS#9. */
  emailAddress: "1.2.840.113549.1.9.1",

  /** RFC 5280, section 4.2.1.2. */
  subjectKeyIdentifier: "2.5.29.14",
  /** RFC 5280, section 4.2.1.3. */
  keyUsage: "2.5.29.15",
  /** RFC 5280, section 4.2.1.6. */
  subjectAltName: "2.5.29.17",
  /** RFC 5280, section 4.2.1.9. */
  basicConstraints: "2.5.29.19",
  /** RFC 5280, section 5.2.3. */
  crlNumber: "2.5.29.20",
  /** RFC 5280, section 5.3.1. */
  reasonCode: "2.5.29.21",
  /** RFC 5280, section 5.2.4. */
  deltaCrlIndicator: "2.5.29.27",
  /** RFC 5280, section 5.2.5. */
  issuingDistributionPoint: "2.5.29.28",
  /** RFC 5280, section 5.3.3. */
  certificateIssuer: "2.5.29.29",
  /** RFC 5280, section 4.2.1.10. */
  nameConstraints: "2.5.29.30",
  /** RFC 5280, section 4.2.1.4. */
  certificatePolicies: "2.5.29.32",
  /** RFC 5280, section 4.2.1.5. */
  policyMappings: "2.5.29.33",
  /** RFC 5280, section 4.2.1.1. */
  authorityKeyIdentifier: "2.5.29.35",
  /** RFC 5280, section 4.2.1.11. */
  policyConstraints: "2.5.29.36",
  /** RFC 5280, section 4.2.1.12. */
  extendedKeyUsage: "2.5.29.37",
  /** RFC 5280, section 4.2.1.14. */
  inhibitAnyPolicy: "2.5.29.54",
  /**
   * SHA-256 of the invite's code that a certificate was enrolled by, in an OCTET STRING. The arc is that of UUID
   * 6f0d2b1c-7a54-4c3e-9b8e-2f51a6d0c473 (ITU-T X.667), so it is nobody else's.
   */
  inviteDigest: "2.25.147612681791147203094534668942870365299.1",
  /** NULL: the holder is admitted only over TLS to which it presented this certificate. The arc is that of {@link OID.inviteDigest}. */
  mutualTls: "2.25.147612681791147203094534668942870365299.2",

  /** RFC 5280, section 4.2.1.12. */
  serverAuth: "1.3.6.1.5.5.7.3.1",
  /** RFC 5280, section 4.2.1.12. */
  clientAuth: "1.3.6.1.5.5.7.3.2",

  /** RFC 5480. */
  ecPublicKey: "1.2.840.10045.2.1",
  /** RFC 5480. */
  p256: "1.2.840.10045.3.1.7",
  /** RFC 5480. */
  p384: "1.3.132.0.34",
  /** RFC 5480. */
  p521: "1.3.132.0.35",
  /** RFC 5758. */
  ecdsaSha256: "1.2.840.10045.4.3.2",
  /** RFC 5758. */
  ecdsaSha384: "1.2.840.10045.4.3.3",
  /** RFC 5758. */
  ecdsaSha512: "1.2.840.10045.4.3.4",
  /** RFC 8017. */
  rsaEncryption: "1.2.840.113549.1.1.1",
  /** RFC 8017. */
  mgf1: "1.2.840.113549.1.1.8",
  /** RFC 8017. */
  rsaPss: "1.2.840.113549.1.1.10",
  /** RFC 8017. */
  rsaSha256: "1.2.840.113549.1.1.11",
  /** RFC 8017. */
  rsaSha384: "1.2.840.113549.1.1.12",
  /** RFC 8017. */
  rsaSha512: "1.2.840.113549.1.1.13",
  /** RFC 5754. */
  sha256: "2.16.840.1.101.3.4.2.1",
  /** RFC 5754. */
  sha384: "2.16.840.1.101.3.4.2.2",
  /** RFC 5754. */
  sha512: "2.16.840.1.101.3.4.2.3",

  /** RFC 8018, appendix A.4. */
  pbes2: "1.2.840.113549.1.5.13",
  /** RFC 8018, appendix A.2. */
  pbkdf2: "1.2.840.113549.1.5.12",
  /** RFC 8018, appendix B.1.2. */
  hmacSha256: "1.2.840.113549.2.9",
  /** RFC 8018, appendix B.2.5. */
  aes256Cbc: "2.16.840.1.101.3.4.1.42",

  /** RFC 5652, section 4. */
  data: "1.2.840.113549.1.7.1",
  /** RFC 5652, section 5.1. */
  signedData: "1.2.840.113549.1.7.2",
  /** RFC 5652, section 11.1. */
  contentType: "1.2.840.113549.1.9.3",
  /** RFC 5652, section 11.2. */
  messageDigest: "1.2.840.113549.1.9.4",
  /** RFC 5652, section 11.3. */
  signingTime: "1.2.840.113549.1.9.5",
} as const;
