import { type Bytes, toHex } from "@photinus/core/bytes";
import { StorageError } from "@photinus/core/errors";
import { parseCertificate, type RevokedCertificate } from "@photinus/core/pki";
import type { Clock, CryptoProvider, MetadataStore } from "@photinus/core/platform";

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

  /** Entries of a list for all certificates of these names. */
  async entriesOf(names: readonly string[]): Promise<readonly RevokedCertificate[]> {
    const { metadata, clock, crypto } = this.#modules;
    const entries: RevokedCertificate[] = [];
    for (const name of names) {
      for (const { value } of await metadata.list(`${PREFIX}${name}/`)) {
        const { serialNumber } = await parseCertificate(value, { crypto });
        entries.push({ serialNumber, revokedAtMs: clock.now(), reason: "privilegeWithdrawn" });
      }
    }
    return entries;
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
