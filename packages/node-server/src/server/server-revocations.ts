import { type Bytes, equalBytes, fromUtf8, toHex } from "@photinus/core/bytes";
import type { IssuedCertificate, IssuedCertificates } from "@photinus/core/coordinator";
import { HostError, PhotinusError, PkiError } from "@photinus/core/errors";
import {
  decodePem,
  type HeldRevocationList,
  isName,
  issueRevocationList,
  metadataRevocationStore,
  metadataSuspensionStore,
  REVOCATION_LIFETIME_MS,
  type RevocationList,
  RevocationLists,
  type RevokedCertificate,
} from "@photinus/core/pki";
import type { Clock, CryptoProvider, Logger, MetadataStore, Timer } from "@photinus/core/platform";
import { endOfEnrolment, type OpenedKit } from "@photinus/core/provision";
import { fileVersion, readSmallFile } from "@photinus/node-platform";
import { EnrolledSites } from "./enrolled-sites.ts";

/** Options of {@link ServerRevocations}. */
export interface ServerRevocationsOptions {
  /** The server's kit, opened. */
  readonly kit: OpenedKit;
  /** File in which an administrator puts each new list of the root, PEM; looked at twice a second. */
  readonly file?: string;
  /** File with one name a line of sites that joined by a link and are revoked; looked at as often. */
  readonly revokedSitesFile?: string;
}

/** What {@link ServerRevocations} works with. */
export interface ServerRevocationsModules {
  readonly metadata: MetadataStore;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
}

/** PEM of the largest list, and more. */
const MAX_FILE_BYTES = 65_536;
/** A list has its effect within a second of its arrival: half of it may pass before it is seen. */
const LOOK_MS = 500;
/** The list of the enrolment CA is issued again after half its life. */
const RENEW_MS = REVOCATION_LIFETIME_MS.enrolment / 2;
/** Lists are dated five minutes back. */
const BACKDATED_MS = 300_000;
/** A kit keeps the list of its issue, however many came after it. */
const KIT = "the kit";
/** An administrator is reminded while there is time. */
const REMIND_MS = 14 * 86_400_000;
const REMIND_EVERY_MS = 43_200_000;
/** Sites that enrolled have certificates for seven days: after this nobody needs to be told of one. */
const FORGET_MS = 8 * 86_400_000;

/**
 * The revocation lists of a server. The root's come from the kit, and then from a file that an administrator replaces;
 * the enrolment CA's, whose key is in the kit, are issued here.
 */
export class ServerRevocations implements IssuedCertificates {
  /** What sessions are checked by. */
  readonly lists: RevocationLists;
  readonly #options: ServerRevocationsOptions;
  readonly #modules: ServerRevocationsModules;
  readonly #enrolled: EnrolledSites;
  #timer: Timer | undefined;
  /** Size and time of the file when it was read last: what has not changed is not read again. */
  #seen = "";
  #seenSites = "";
  /** Names in the file of revoked sites: they get no certificate again. */
  #blocked: ReadonlySet<string> = new Set();
  #remindAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: ServerRevocationsOptions, modules: ServerRevocationsModules) {
    this.#options = options;
    this.#modules = modules;
    this.#enrolled = new EnrolledSites(modules);
    const { kit } = options;
    this.lists = new RevocationLists(
      { project: kit.configuration.project, root: kit.root.der },
      {
        ...modules,
        store: metadataRevocationStore(modules.metadata),
        suspensions: metadataSuspensionStore(modules.metadata),
      },
    );
  }

  /**
   * Reads what is kept, takes the lists of kit and file, issues the enrolment CA's, and goes on to look. Without a list
   * that is in order the server starts all the same, and admits nobody until one comes.
   *
   * @throws PkiError when what is kept was damaged
   */
  async start(): Promise<void> {
    if (this.#timer !== undefined) return;
    await this.lists.load();
    const { revocationList } = this.#options.kit;
    if (revocationList !== undefined) await this.#takeFromFile(revocationList, KIT);
    await this.#look();
    this.#schedule();
  }

  /**
   * Notes a certificate that the enrolment CA issued, before it is handed out.
   * @param leaf DER
   * @throws PkiError `ERR_REVOKED` for a name that an administrator has blocked
   */
  async enrolled(name: string, leaf: Bytes): Promise<void> {
    this.#requireAllowed(name);
    await this.#enrolled.note(name, leaf);
    // Blocked meanwhile, its certificates may have been listed without this one.
    this.#requireAllowed(name);
  }

  /**
   * Revokes every certificate of sites that joined by a link, at once.
   * @returns how many were not revoked before
   * @throws HostError `ERR_CONFIG_INVALID` when there are some, and the kit has no enrolment CA any more
   */
  async revokeEnrolled(names: readonly string[]): Promise<number> {
    const certificates: Omit<IssuedCertificate, "issuer">[] = [];
    for (const name of names) {
      await this.#enrolled.blockName(name);
      certificates.push(...(await this.#enrolled.list(name)));
    }
    return await this.revoke(certificates);
  }

  /** Certificates of the enrolment CA that have not expired, by name and digest. */
  async list(): Promise<readonly IssuedCertificate[]> {
    const issuer = this.#options.kit.enrolment?.certificate.der;
    if (issuer === undefined) return [];
    return (await this.#enrolled.list()).map((each) => ({ ...each, issuer }));
  }

  /**
   * Revokes certificates of the enrolment CA and all others of their keys, at once; these are issued nothing more.
   * @returns how many were not revoked before
   * @throws HostError `ERR_CONFIG_INVALID` when there are some, and the kit has no enrolment CA any more
   */
  async revoke(certificates: readonly Pick<IssuedCertificate, "name" | "der">[]): Promise<number> {
    await this.#enrolled.blockKeys(certificates); // first: nobody renews in between
    const known = this.#ofEnrolment()?.entries;
    const entries = await this.#enrolled.entriesOf(await this.#enrolled.ofSameKeys(certificates));
    const added = entries.filter(({ serialNumber }) => known?.has(toHex(serialNumber)) !== true);
    if (added.length === 0) return 0;
    if (await this.#issueEnrolment(added)) return added.length;
    await this.lists.reload(); // another process issued a list meanwhile: ours comes after it
    return await this.revoke(certificates);
  }

  /** Looks no more. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #requireAllowed(name: string): void {
    if (this.#blocked.has(name)) throw new PkiError("ERR_REVOKED", `${name} may not join again`);
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = this.#modules.clock.after(LOOK_MS, () => {
      this.#looking = this.#look()
        .catch((error: unknown) => this.#modules.logger.error("revocation lists could not be read", error))
        .finally(() => this.#schedule());
    });
  }

  async #look(): Promise<void> {
    await this.lists.reload();
    await this.#lookAtFile();
    await this.#renewEnrolment();
    this.#remind();
    await this.#lookAtSites();
  }

  async #lookAtFile(): Promise<void> {
    const { file } = this.#options;
    const version = await fileVersion(file);
    if (file === undefined || version === "" || version === this.#seen) return;
    try {
      const [list] = decodePem("X509 CRL", await readSmallFile(file, MAX_FILE_BYTES));
      this.#seen = version;
      if (list !== undefined) await this.#takeFromFile(list, file);
    } catch (error) {
      this.#seen = version; // half written perhaps: the whole file has another time
      this.#modules.logger.error("a revocation list could not be read", error, { file });
    }
  }

  async #lookAtSites(): Promise<void> {
    const { revokedSitesFile: file, kit } = this.#options;
    const version = await fileVersion(file);
    if (file === undefined || kit.enrolment === undefined || version === "" || version === this.#seenSites)
      return;
    const text = fromUtf8(await readSmallFile(file, MAX_FILE_BYTES));
    const lines = text.split("\n").map((line) => line.trim());
    const names = lines.filter(isName);
    const strange = lines.filter((line) => line !== "" && !line.startsWith("#") && !isName(line)).length;
    if (strange > 0) this.#modules.logger.warn("lines that name no site revoke nothing", { file, strange });
    this.#blocked = new Set(names);
    await this.revokeEnrolled(names);
    this.#seenSites = version;
  }

  /** An older list than the one that is kept is what a kit or file holds after a newer one came: no news. */
  async #takeFromFile(list: Bytes, source: string): Promise<void> {
    try {
      if (await this.lists.take({ list })) this.#modules.logger.info("revocation list taken", { source });
    } catch (error) {
      const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
      const isNews = code !== "ERR_CRL_ROLLBACK" || source !== KIT;
      const line = { source, code, detail: String(error) };
      if (isNews) this.#modules.logger.warn("revocation list refused", line);
      else this.#modules.logger.debug("the kit holds an older revocation list", line);
    }
  }

  /** At the start and twice a day: while there is time, however long the server runs. */
  #remind(): void {
    const nowMs = this.#modules.clock.now();
    if (nowMs < this.#remindAtMs) return;
    this.#remindAtMs = nowMs + REMIND_EVERY_MS;
    this.#remindOfList(nowMs);
    this.#remindOfEnrolment(nowMs);
  }

  #remindOfList(nowMs: number): void {
    const list = this.lists.ofRoot;
    const leftMs = (list?.nextUpdateMs ?? 0) - nowMs;
    if (leftMs > REMIND_MS) return;
    const code = list === undefined ? "ERR_CRL_MISSING" : "ERR_CRL_STALE";
    this.#modules.logger.warn("the revocation list of the root needs a successor", {
      code,
      days: Math.floor(leftMs / 86_400_000),
    });
  }

  #remindOfEnrolment(nowMs: number): void {
    const { kit } = this.#options;
    const end = kit.enrolment && endOfEnrolment(kit.enrolment.certificate, nowMs);
    if (end !== undefined) this.#modules.logger.warn(end.seen, { remedy: end.remedy });
  }

  /** Issues the next list of the enrolment CA when half the life of the last one is over. */
  async #renewEnrolment(): Promise<void> {
    const { enrolment } = this.#options.kit;
    const nowMs = this.#modules.clock.now();
    if (enrolment === undefined || nowMs > enrolment.certificate.notAfterMs) return;
    const last = this.#ofEnrolment();
    if (last !== undefined && nowMs < last.thisUpdateMs + BACKDATED_MS + RENEW_MS) return;
    await this.#enrolled.sweep();
    await this.#issueEnrolment([]);
  }

  /**
   * The next list of the enrolment CA, for each of its certificates: whoever holds one issued before its renewal looks
   * there. Another process of this server may be quicker: its list counts then.
   */
  async #issueEnrolment(added: readonly RevokedCertificate[]): Promise<boolean> {
    const { enrolment } = this.#options.kit;
    if (enrolment === undefined) {
      throw new HostError("ERR_CONFIG_INVALID", "the kit has no enrolment CA, whose list this would be");
    }
    const { crypto, clock } = this.#modules;
    const nowMs = clock.now();
    const before = this.#heldOfEnrolment();
    const known = new Map(before.flatMap(({ list }) => [...list.entries]));
    const kept = [...known.values()].filter((entry) => nowMs < entry.revokedAtMs + FORGET_MS);
    const { der: list } = await issueRevocationList(
      {
        number: Math.max(0, ...before.map((held) => held.list.number)) + 1,
        nowMs,
        lifetimeMs: REVOCATION_LIFETIME_MS.enrolment,
        revoked: [...kept, ...added],
      },
      enrolment,
      { crypto },
    );
    const current = enrolment.certificate;
    const former = before.map(({ issuer }) => issuer).filter(({ der }) => !equalBytes(der, current.der));
    for (const { der: issuer } of [...former, current]) {
      if (!(await this.lists.publish({ list, issuer }))) return false;
    }
    return true;
  }

  #ofEnrolment(): RevocationList | undefined {
    const der = this.#options.kit.enrolment?.certificate.der;
    return this.lists.held.find(({ issuer }) => der !== undefined && equalBytes(issuer.der, der))?.list;
  }

  /** Lists of the certificates that the key of the enrolment CA has, or had before it was renewed. */
  #heldOfEnrolment(): readonly HeldRevocationList[] {
    const key = this.#options.kit.enrolment?.certificate.publicKey.spki;
    const nowMs = this.#modules.clock.now();
    return this.lists.held.filter(
      ({ issuer }) =>
        key !== undefined && equalBytes(issuer.publicKey.spki, key) && nowMs <= issuer.notAfterMs,
    );
  }
}
