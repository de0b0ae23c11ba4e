import { type Bytes, toHex } from "@photinus/core/bytes";
import type { IssuedCertificate } from "@photinus/core/coordinator";
import { StorageError } from "@photinus/core/errors";
import { parseCertificate, type RevokedCertificate } from "@photinus/core/pki";
import type { Clock, CryptoProvider, MetadataStore } from "@photinus/core/platform";
import { EnrolledParticipants, keyName } from "@photinus/core/provision";

/** What {@link EnrolledSites} works with. */
export interface EnrolledSitesModules {
  readonly metadata: MetadataStore;
  readonly clock: Pick<Clock, "now">;
  readonly crypto: CryptoProvider;
}

const PREFIX = "enrolled/";

/**
 * Certificates that the enrolment CA of this server issued and that have not expired, by name: what it takes to revoke
 * a site that joined by a link.
 */
export class EnrolledSites {
  readonly #modules: EnrolledSitesModules;

  constructor(modules: EnrolledSitesModules) {
    this.#modules = modules;
  }

  /** Notes a certificate before it is handed out. @param leaf DER */
  async note(name: string, leaf: Bytes): Promise<void> {
    const digest = toHex(await this.#modules.crypto.sha256(leaf));
    try {
      await this.#modules.metadata.create(`${PREFIX}${name}/${digest}`, leaf);
    } catch (error) {
      // Issued again for the same key and moment, it is the same certificate.
      if (!(error instanceof StorageError) || error.code !== "ERR_STORAGE_EXISTS") throw error;
    }
  }

  /** Every certificate, by name and digest. @param name of one site; all by default */
  async list(name?: string): Promise<readonly Omit<IssuedCertificate, "issuer">[]> {
    const entries = await this.#modules.metadata.list(name === undefined ? PREFIX : `${PREFIX}${name}/`);
    return entries.map(({ key, value }) => {
      const [holder = "", leaf = ""] = key.slice(PREFIX.length).split("/");
      return { name: holder, leaf, der: value };
    });
  }

  /** These certificates, and every other that the same key of the same name was issued: a renewed one goes with the one before. */
  async ofSameKeys(
    certificates: readonly Pick<IssuedCertificate, "name" | "der">[],
  ): Promise<readonly Pick<IssuedCertificate, "name" | "der">[]> {
    const found = new Map<string, Pick<IssuedCertificate, "name" | "der">>();
    for (const certificate of certificates) {
      const key = await this.#keyOf(certificate.der);
      found.set(toHex(certificate.der), certificate);
      for (const other of await this.list(certificate.name)) {
        if ((await this.#keyOf(other.der)) === key) found.set(toHex(other.der), other);
      }
    }
    return [...found.values()];
  }

  async #keyOf(der: Bytes): Promise<string> {
    const { publicKey } = await parseCertificate(der, this.#modules);
    return await keyName(publicKey.spki, this.#modules);
  }

  /** Entries of a revocation list for these certificates. */
  async entriesOf(
    certificates: readonly Pick<IssuedCertificate, "der">[],
  ): Promise<readonly RevokedCertificate[]> {
    const { clock, crypto } = this.#modules;
    const entries: RevokedCertificate[] = [];
    for (const { der } of certificates) {
      const { serialNumber } = await parseCertificate(der, { crypto });
      entries.push({ serialNumber, revokedAtMs: clock.now(), reason: "privilegeWithdrawn" });
    }
    return entries;
  }

  /** The keys of these certificates are issued nothing more. */
  async blockKeys(certificates: readonly Pick<IssuedCertificate, "name" | "der">[]): Promise<void> {
    const participants = new EnrolledParticipants(this.#modules.metadata);
    for (const { name, der } of certificates) {
      await participants.revoke(name, new Set([await this.#keyOf(der)]));
    }
  }

  /** No key of this name is issued anything more. */
  async blockName(name: string): Promise<void> {
    await new EnrolledParticipants(this.#modules.metadata).revoke(name);
  }

  /** Forgets certificates that have expired. */
  async sweep(): Promise<void> {
    const { metadata, clock, crypto } = this.#modules;
    for (const { key, value } of await metadata.list(PREFIX)) {
      const { notAfterMs } = await parseCertificate(value, { crypto });
      if (notAfterMs < clock.now()) await metadata.delete(key);
    }
  }
}
