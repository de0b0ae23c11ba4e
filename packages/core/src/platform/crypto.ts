import type { Bytes } from "../bytes/index.ts";

/** A value now (synchronous provider) or later. Always `await` it. */
export type Awaitable<T> = T | Promise<T>;

/**
 * Signature algorithms by their number on the wire: 1 ECDSA P-256 with SHA-256, 2 RSA-PSS SHA-256 with salt 32,
 * 3 ECDSA P-384 with SHA-384. ECDSA signatures are in P1363 form (r ‖ s).
 */
export type SignatureAlgorithm = 1 | 2 | 3;

/** A private signing key of one provider. */
export interface SigningKey {
  /** What it signs with. */
  readonly algorithm: SignatureAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Bytes;
  /** The provider's own key object; structured-clonable where the provider's is (browser: CryptoKey). */
  readonly handle: unknown;
}

/** A public key of one provider. */
export interface VerifyingKey {
  /** What it verifies. */
  readonly algorithm: SignatureAlgorithm;
  /** The provider's own key object. */
  readonly handle: unknown;
}

/** An X25519 key pair (RFC 7748). */
export interface AgreementKey {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** The provider's own key object. */
  readonly handle: unknown;
}

/** A symmetric key of one provider. */
export interface SecretKey {
  /** The provider's own key object. */
  readonly handle: unknown;
}

/**
 * All cryptography of Photinus. The default is WebCrypto (`webCrypto()`); Node hosts pass a synchronous
 * node:crypto provider for small messages. Authenticated decryption answers `undefined` instead of throwing.
 */
export interface CryptoProvider {
  /** Cryptographically secure random bytes. */
  randomBytes(length: number): Bytes;
  /** SHA-256 (FIPS 180-4): 32 bytes. */
  sha256(data: Bytes): Awaitable<Bytes>;
  /** What ECDSA P-384 signs by; CMS needs it apart from the signature. */
  sha384(data: Bytes): Awaitable<Bytes>;
  /** SHA-512 (FIPS 180-4): 64 bytes. */
  sha512(data: Bytes): Awaitable<Bytes>;
  /** HMAC-SHA256 (RFC 2104): 32 bytes. */
  hmacSha256(key: Bytes, data: Bytes): Awaitable<Bytes>;
  /** PBKDF2-HMAC-SHA256 (RFC 8018). */
  pbkdf2Sha256(password: Bytes, salt: Bytes, iterations: number, length: number): Awaitable<Bytes>;

  /**
   * A fresh key pair.
   * @param options `extractable` false by default; `modulusLength` for RSA only, 3072 by default
   */
  generateSigningKey(
    algorithm: SignatureAlgorithm,
    options?: { readonly extractable?: boolean; readonly modulusLength?: 2048 | 3072 },
  ): Awaitable<SigningKey>;
  /**
   * A private key from its bytes.
   * @param pkcs8 PrivateKeyInfo, DER
   * @param publicKey its SubjectPublicKeyInfo, DER
   */
  importSigningKey(pkcs8: Bytes, publicKey: Bytes, algorithm: SignatureAlgorithm): Awaitable<SigningKey>;
  /** PKCS#8 DER of an extractable key. @throws TypeError for a non-extractable one */
  exportSigningKey(key: SigningKey): Awaitable<Bytes>;
  /**
   * @param spki SubjectPublicKeyInfo, DER; kept, not changed
   * @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` when the key is not of `algorithm`
   */
  importVerifyingKey(spki: Bytes, algorithm: SignatureAlgorithm): Awaitable<VerifyingKey>;
  /** The signature over `data`; ECDSA in P1363 form. */
  sign(key: SigningKey, data: Bytes): Awaitable<Bytes>;
  /** True when `signature` is the key's over `data`. */
  verify(key: VerifyingKey, signature: Bytes, data: Bytes): Awaitable<boolean>;
  /**
   * Verifies a signature as certificates carry it: RSASSA-PKCS1-v1_5 or RSA-PSS or ECDSA with the named hash; ECDSA
   * in P1363 form.
   */
  verifyCertificateSignature(
    spki: Bytes,
    scheme: CertificateSignatureScheme,
    signature: Bytes,
    data: Bytes,
  ): Awaitable<boolean>;

  /** A fresh X25519 key pair. */
  generateAgreementKey(): Awaitable<AgreementKey>;
  /** From the 32 raw bytes of RFC 7748 (test vectors). */
  importAgreementKey(privateKey: Bytes, publicKey: Bytes): Awaitable<AgreementKey>;
  /** X25519; `undefined` for a public key that yields the all-zero secret or is not 32 bytes. */
  agree(key: AgreementKey, peerPublicKey: Bytes): Awaitable<Bytes | undefined>;

  /** AES-256 key for GCM from 32 bytes. */
  importAesGcmKey(raw: Bytes): Awaitable<SecretKey>;
  /** Overwrites a key that is used no more: it throws from here on. Absent: the runtime clears what it collects. */
  forgetAesGcmKey?(key: SecretKey): void;
  /** @param iv 12 bytes @returns ciphertext ‖ 16-byte tag */
  aesGcmSeal(key: SecretKey, iv: Bytes, plaintext: Bytes, aad: Bytes): Awaitable<Bytes>;
  /** @returns the plaintext, or `undefined` when it does not authenticate */
  aesGcmOpen(key: SecretKey, iv: Bytes, ciphertext: Bytes, aad: Bytes): Awaitable<Bytes | undefined>;
  /** {@link aesGcmSeal} of a plaintext in parts into memory of the caller, where the provider can: it spares copies. */
  aesGcmSealInto?(key: SecretKey, request: SealIntoRequest): Awaitable<void>;
  /** {@link aesGcmOpen} of a ciphertext whose tag lies elsewhere, where the provider can: it spares a copy. */
  aesGcmOpenApart?(key: SecretKey, request: OpenApartRequest): Awaitable<Bytes | undefined>;
  /** AES-256-CBC with PKCS#7 padding, for PKCS#8 PBES2 (RFC 8018) only. */
  aesCbcSeal(key: Bytes, iv: Bytes, plaintext: Bytes): Awaitable<Bytes>;
  /** `undefined` when the padding is wrong (wrong passphrase). */
  aesCbcOpen(key: Bytes, iv: Bytes, ciphertext: Bytes): Awaitable<Bytes | undefined>;
  /** AES key wrap (RFC 3394) of a 32-byte key under a 32-byte key: 40 bytes. */
  aesKeyWrap(wrappingKey: Bytes, key: Bytes): Awaitable<Bytes>;
  /** `undefined` when the integrity check fails. */
  aesKeyUnwrap(wrappingKey: Bytes, wrapped: Bytes): Awaitable<Bytes | undefined>;
}

/** What {@link CryptoProvider.aesGcmSealInto} encrypts, and where to. */
export interface SealIntoRequest {
  /** 12 bytes. */
  readonly iv: Bytes;
  /** Additional data. */
  readonly aad: Bytes;
  /** The plaintext, one part after another; it does not overlap what is written. */
  readonly parts: readonly Bytes[];
  /** Takes the ciphertext: as many bytes as the parts have together. */
  readonly ciphertext: Bytes;
  /** Takes the tag: 16 bytes. */
  readonly tag: Bytes;
}

/** What {@link CryptoProvider.aesGcmOpenApart} decrypts. */
export interface OpenApartRequest {
  /** 12 bytes. */
  readonly iv: Bytes;
  /** Additional data. */
  readonly aad: Bytes;
  /** Without its tag. */
  readonly ciphertext: Bytes;
  /** 16 bytes. */
  readonly tag: Bytes;
  /**
   * True: the plaintext takes the place of the ciphertext, whose memory is the caller's alone, and the result is a view
   * of it. What lies there after a failure is not authenticated: the caller must not look at it. Default false.
   */
  readonly inPlace?: boolean;
}

/** How a certificate or request is signed. */
export type CertificateSignatureScheme = EcdsaScheme | RsaPkcs1Scheme | RsaPssScheme;

/** ECDSA (FIPS 186-5). */
export interface EcdsaScheme {
  /** Tells the scheme. */
  readonly name: "ECDSA";
  /** Curve of the issuer's key. */
  readonly curve: "P-256" | "P-384" | "P-521";
  /** What is signed by. */
  readonly hash: CertificateHash;
}

/** RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2). */
export interface RsaPkcs1Scheme {
  /** Tells the scheme. */
  readonly name: "RSASSA-PKCS1-v1_5";
  /** What is signed by. */
  readonly hash: CertificateHash;
}

/** RSASSA-PSS (RFC 8017, section 8.1), MGF1 with the same hash. */
export interface RsaPssScheme {
  /** Tells the scheme. */
  readonly name: "RSA-PSS";
  /** What is signed by. */
  readonly hash: CertificateHash;
  /** Bytes. */
  readonly saltLength: number;
}

/** Hashes that certificate signatures may use. */
export type CertificateHash = "SHA-256" | "SHA-384" | "SHA-512";
