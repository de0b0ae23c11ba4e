import { type Bytes, toHex } from "../bytes/index.ts";
import { PkiError, ProvisionError } from "../errors/index.ts";
import {
  algorithmOf,
  certificatesFromPem,
  decodePem,
  issueRevocationList,
  openPrivateKey,
  parseCertificate,
  parseRevocationList,
  REVOCATION_LIFETIME_MS,
  type RevocationIssuer,
  type RevocationList,
  type RevocationReason,
  type RevokedCertificate,
  verifyRevocationList,
} from "../pki/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import type { ProvisionModules } from "./create-project.ts";

/** The root of a project as its administrator keeps it, with what opens its key. */
export interface SealedRoot {
  /** Root certificate, PEM. */
  readonly certificatePem: Bytes;
  /** Private key, encrypted, PEM. */
  readonly keyPem: Bytes;
  /** Generated secret or passphrase of the key. */
  readonly secret: string;
}

/**
 * Opens the root's key.
 * @throws PkiError `ERR_KEY_UNREADABLE` for a wrong secret, `ERR_CERTIFICATE_MALFORMED`
 */
export async function openRootKey(
  { certificatePem, keyPem, secret }: SealedRoot,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<RevocationIssuer> {
  const [der] = certificatesFromPem(certificatePem);
  if (der === undefined) throw new PkiError("ERR_CERTIFICATE_MALFORMED", "root.pem is empty");
  const certificate = await parseCertificate(der, { crypto });
  const [sealed] = decodePem("ENCRYPTED PRIVATE KEY", keyPem);
  if (sealed === undefined) throw new PkiError("ERR_KEY_UNREADABLE", "the file holds no key");
  const pkcs8 = await openPrivateKey(sealed, secret, { crypto });
  const { publicKey } = certificate;
  const key = await crypto.importSigningKey(pkcs8, publicKey.spki, algorithmOf(publicKey));
  return { certificate, key };
}

/** The root of a project and the list that it issued last. */
export interface RevocationBasis {
  /** The root with its key. */
  readonly root: RevocationIssuer;
  /** The list that was issued last, DER. */
  readonly latest: Bytes;
  /**
   * Last moment of validity of certificates that the root issued, ms since 1970, by serial number in lower-case hex. A
   * list may leave out those that had expired when the list before it was issued (RFC 5280, section 3.3); of others
   * nothing is left out.
   */
  readonly notAfterMs: ReadonlyMap<string, number>;
}

/** A project, as far as it takes to revoke. */
export interface RevocableProject extends RevocationBasis {
  /** Serial numbers of the certificates that the root issued, by the name of the participant. */
  readonly serialNumbers: ReadonlyMap<string, readonly Bytes[]>;
}

/** Options of {@link revoke}. */
export interface RevokeOptions {
  /** Why. Default "unspecified". */
  readonly reason?: RevocationReason;
}

/**
 * Issues the next list of the root: all that was revoked before, and these participants. With no names it only renews
 * the list, which servers need before 90 days are over. Somebody who is revoked already stays as he is.
 *
 * @throws ProvisionError `ERR_PARTICIPANT_UNKNOWN` for a name without a certificate; PkiError `ERR_CRL_*` when the latest
 *   list is not this root's
 */
export async function revoke(
  { serialNumbers, ...basis }: RevocableProject,
  names: readonly string[],
  modules: ProvisionModules,
  { reason = "unspecified" }: RevokeOptions = {},
): Promise<RevocationList> {
  const revoked = names.flatMap((name) => {
    const own = serialNumbers.get(name) ?? [];
    if (own.length > 0) return own.map((serialNumber) => ({ serialNumber, reason }));
    throw new ProvisionError("ERR_PARTICIPANT_UNKNOWN", `the project has no certificate of ${name}`);
  });
  return await nextRevocationList(basis, revoked, modules);
}

/**
 * Issues the next list of the root with these certificates in addition, and without those that have long expired.
 * @throws PkiError `ERR_CRL_*` when the latest list is not this root's
 */
export async function nextRevocationList(
  { root, latest, notAfterMs }: RevocationBasis,
  certificates: readonly Omit<RevokedCertificate, "revokedAtMs">[],
  modules: ProvisionModules,
): Promise<RevocationList> {
  const before = await parseRevocationList(latest, modules);
  await verifyRevocationList(before, root.certificate, modules);
  const nowMs = modules.clock.now();
  const isOver = (serialNumber: string): boolean =>
    (notAfterMs.get(serialNumber) ?? Number.POSITIVE_INFINITY) < before.thisUpdateMs;
  const revoked = new Map<string, RevokedCertificate>(
    [...before.entries].filter(([serialNumber]) => !isOver(serialNumber)),
  );
  for (const { serialNumber, reason } of certificates) {
    const key = toHex(serialNumber);
    if (!revoked.has(key)) revoked.set(key, { serialNumber, revokedAtMs: nowMs, reason });
  }
  const lifetimeMs = REVOCATION_LIFETIME_MS.root;
  const request = { number: before.number + 1, nowMs, lifetimeMs, revoked: [...revoked.values()] };
  return await issueRevocationList(request, root, modules);
}
