import { type Bytes, equalBytes, toHex } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { parseRevocationList, type RevocationList } from "./crl.ts";
import { requireCurrent, verifyRevocationList } from "./crl-verify.ts";
import { derChildren, derContent } from "./der-reader.ts";
import type { RevocationAnswer, RevocationSource } from "./path-rules.ts";
import type { RevocationRecord, RevocationStore } from "./revocation-store.ts";
import { type SuspensionStore, Suspensions } from "./suspensions.ts";
import { enrolmentUrn } from "./urn.ts";
import { verifyPath } from "./verify-path.ts";

/** Whose lists {@link RevocationLists} holds. */
export interface RevocationListsOptions {
  /** Name of the project. */
  readonly project: string;
  /** Pinned root of the project, DER. */
  readonly root: Bytes;
}

/** What {@link RevocationLists} works with. */
export interface RevocationListsModules {
  /** Verifies the lists. */
  readonly crypto: CryptoProvider;
  /** The local time. */
  readonly clock: Pick<Clock, "now">;
  /** Where the newest lists are kept; without it they are forgotten with the process. */
  readonly store?: RevocationStore;
  /** Where suspensions are kept; without it they are forgotten with the process. */
  readonly suspensions?: SuspensionStore;
}

/** A list as it comes: from a server, an administrator, the own CA. */
export interface OfferedRevocationList {
  /** The list, DER. */
  readonly list: Bytes;
  /** Certificate of the enrolment CA when it is the issuer, DER; absent for the root. */
  readonly issuer?: Bytes;
}

/** The newest list of an issuer. */
export interface HeldRevocationList {
  /** The root or an enrolment CA. */
  readonly issuer: Certificate;
  /** Its list with the highest number. */
  readonly list: RevocationList;
}

/** Number of the newest list of an issuer. */
export interface RevocationNumber {
  /** SHA-256 of the issuer's certificate. */
  readonly issuer: Bytes;
  /** Number of the list. */
  readonly number: number;
}

/** A list of others takes effect at once; one of our own counts only if nobody was quicker; a stored one is there. */
type Order = "effect first" | "store first" | "stored";

/** A project has one root and an enrolment CA with a certificate every 90 days, whose lists end with it. */
const MAX_ISSUERS = 16;

/**
 * What one participant knows about revoked certificates of a project: of each issuer the list with the highest number
 * that it has seen. Only lists that the root or an enrolment CA signed are taken, so it does not matter who brings
 * one; a list that goes back is refused.
 */
export class RevocationLists implements RevocationSource {
  /** What administrators have suspended: it has its effect before a list could have. */
  readonly suspensions: Suspensions;
  readonly #options: RevocationListsOptions;
  readonly #modules: RevocationListsModules;
  readonly #listeners = new Set<(held: HeldRevocationList) => void>();
  #held: readonly HeldRevocationList[] = [];
  /** Serial numbers by the bytes of the certificate, of live sessions: each new list asks for all of them again. */
  readonly #serialNumbers = new WeakMap<Bytes, string>();
  #epoch = 0;
  #loading: Promise<void> | undefined;
  /** Lists are taken one after another: two at once would both be compared with the one before. */
  #taking: Promise<unknown> = Promise.resolve();

  constructor(options: RevocationListsOptions, modules: RevocationListsModules) {
    this.#options = options;
    this.#modules = modules;
    const { clock, suspensions: store } = modules;
    this.suspensions = new Suspensions({ clock, ...(store === undefined ? {} : { store }) });
  }

  /** Another number after each list or suspension that was taken. */
  get epoch(): number {
    return this.#epoch + this.suspensions.epoch;
  }

  /** The newest lists, of the root first. */
  get held(): readonly HeldRevocationList[] {
    return this.#held;
  }

  /** The newest list of the root. */
  get ofRoot(): RevocationList | undefined {
    return this.#heldOf(this.#options.root)?.list;
  }

  /**
   * Reads and verifies what the store keeps. {@link take} does it by itself, once.
   * @throws PkiError when what is kept does not verify: then nobody is admitted
   */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Looks into the store again: another process may have taken a list. */
  async reload(): Promise<void> {
    await this.load();
    await this.suspensions.reload();
    for (const { list, issuer, number } of await this.#stored()) {
      const held = this.#heldOf(issuer);
      if (held === undefined || held.list.number < number) await this.take({ list, issuer });
    }
  }

  /**
   * Takes a list when it is newer than what is held. It has its effect before this resolves and before it is stored.
   *
   * @returns false when it is the one that is held
   * @throws PkiError `ERR_CRL_MALFORMED`, `ERR_CRL_UNSUPPORTED`, `ERR_CRL_UNTRUSTED` when no CA of this project signed
   *   it, `ERR_CRL_ROLLBACK` when it is older than the one held, or another with the same number
   */
  take(offered: OfferedRevocationList): Promise<boolean> {
    return this.#inTurn(() => this.#take(offered, "effect first"));
  }

  /**
   * {@link take} for whoever issues lists: stored first, so that of two processes that issue the same number at once
   * only one's has an effect.
   *
   * @returns false when the other was quicker; {@link reload} then brings its list
   */
  publish(own: OfferedRevocationList): Promise<boolean> {
    return this.#inTurn(() => this.#take(own, "store first"));
  }

  #inTurn(step: () => Promise<boolean>): Promise<boolean> {
    const taken = this.#taking.then(async () => {
      await this.load();
      return await step();
    });
    this.#taking = taken.catch(() => undefined);
    return taken;
  }

  /** Calls `listener` in the same turn in which a list takes effect. @returns ends it */
  watch(listener: (held: HeldRevocationList) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * What the newest list of the issuer says of a certificate.
   * @throws PkiError `ERR_CRL_STALE` when it does not name the certificate, and is out of date
   */
  async check(certificate: Certificate, issuer: Certificate, atMs: number): Promise<RevocationAnswer> {
    await this.load();
    const list = this.#heldOf(issuer.der)?.list;
    if (list === undefined) return { status: "unknown" };
    // Also a list that is out of date names only what is revoked.
    if (list.entries.has(toHex(certificate.serialNumber))) return { status: "revoked" };
    const suspended = this.suspensions.of(certificate.digest);
    if (suspended !== undefined) return { status: "suspended", untilMs: suspended.untilMs };
    requireCurrent(list, atMs);
    return { status: "good", untilMs: list.nextUpdateMs };
  }

  /**
   * True when a list names a certificate of the chain. Cheap: for sessions whose chain was verified when they began.
   * @param chain DER, leaf first, without the root
   */
  isRevoked(chain: readonly Bytes[]): boolean {
    return chain.some((der, index) => {
      const serialNumber = this.#serialNumberOf(der);
      const issuer = chain[index + 1] ?? this.#options.root;
      // Hardly any serial number is in a list: the issuers are compared for those alone.
      return this.#held.some(
        (held) => held.list.entries.has(serialNumber) && equalBytes(held.issuer.der, issuer),
      );
    });
  }

  /** True when an administrator has suspended the certificate and it does not count again yet. */
  isSuspended(leafDigest: Bytes): boolean {
    return this.suspensions.of(leafDigest) !== undefined;
  }

  #serialNumberOf(der: Bytes): string {
    const known = this.#serialNumbers.get(der);
    if (known !== undefined) return known;
    const serialNumber = serialNumberOf(der);
    this.#serialNumbers.set(der, serialNumber);
    return serialNumber;
  }

  /**
   * What every new session needs: the list of the root, not out of date.
   * @throws PkiError `ERR_CRL_MISSING`, `ERR_CRL_STALE`
   */
  async requireCurrent(): Promise<void> {
    await this.load();
    const list = this.ofRoot;
    if (list === undefined) {
      throw new PkiError("ERR_CRL_MISSING", "there is no revocation list of the project's root");
    }
    requireCurrent(list, this.#modules.clock.now());
  }

  /** The numbers of the newest lists. */
  numbers(): readonly RevocationNumber[] {
    return this.#held.map(({ issuer, list }) => ({ issuer: issuer.digest, number: list.number }));
  }

  /**
   * Checks the numbers that a peer goes by.
   * @throws PkiError `ERR_CRL_ROLLBACK` when the peer goes by an older list than the one held
   */
  requireNotOlder(numbers: readonly RevocationNumber[]): void {
    for (const { issuer, number } of numbers) {
      const held = this.#held.find((candidate) => equalBytes(candidate.issuer.digest, issuer));
      if (held !== undefined) requireNewer(number, held.list.number);
    }
  }

  async #load(): Promise<void> {
    await this.suspensions.reload();
    for (const { list, issuer } of await this.#stored()) await this.#take({ list, issuer }, "stored");
  }

  /** What the store keeps, but for the lists of CAs that have expired: those issue nothing that counts. */
  async #stored(): Promise<readonly Omit<RevocationRecord, "name">[]> {
    const records = (await this.#modules.store?.load()) ?? [];
    const counts = await Promise.all(records.map(({ issuer }) => this.#mayCount(issuer)));
    return records.filter((_, index) => counts[index] === true);
  }

  async #mayCount(issuer: Bytes): Promise<boolean> {
    if (equalBytes(issuer, this.#options.root)) return true;
    const { notAfterMs } = await parseCertificate(issuer, this.#modules);
    return this.#modules.clock.now() <= notAfterMs;
  }

  async #take(offered: OfferedRevocationList, order: Order): Promise<boolean> {
    // Every handshake brings the same list again: this is the way that is taken nearly always.
    const { list: der, issuer: by = this.#options.root } = offered;
    if (this.#held.some(({ list, issuer }) => equalBytes(list.der, der) && equalBytes(issuer.der, by)))
      return false;
    const issuer = await this.#issuerOf(by);
    const list = await parseRevocationList(der, this.#modules);
    await verifyRevocationList(list, issuer, this.#modules);
    const before = this.#heldOf(issuer.der)?.list;
    if (before !== undefined) {
      requireNewer(list.number, before.number);
      if (list.number === before.number) {
        requireSame(list, before);
        return false;
      }
    }
    if (order === "store first" && !(await this.#save({ issuer, list }))) return false;
    this.#hold({ issuer, list });
    if (order === "effect first") await this.#save({ issuer, list });
    return true;
  }

  #hold(held: HeldRevocationList): void {
    const nowMs = this.#modules.clock.now();
    const others = this.#held.filter(
      ({ issuer }) => !equalBytes(issuer.der, held.issuer.der) && nowMs <= issuer.notAfterMs,
    );
    if (others.length >= MAX_ISSUERS) {
      throw new PkiError("ERR_CRL_UNSUPPORTED", `lists of more than ${MAX_ISSUERS} issuers`);
    }
    const isRoot = equalBytes(held.issuer.der, this.#options.root);
    this.#held = isRoot ? [held, ...others] : [...others, held];
    this.#epoch++;
    for (const listener of this.#listeners) listener(held);
  }

  async #save({ issuer, list }: HeldRevocationList): Promise<boolean> {
    const record = { name: toHex(issuer.digest), number: list.number, issuer: issuer.der, list: list.der };
    return (await this.#modules.store?.save(record)) ?? true;
  }

  /** The root, or an enrolment CA that the root issued for this project. */
  async #issuerOf(der: Bytes): Promise<Certificate> {
    const { root, project } = this.#options;
    const known = this.#heldOf(der)?.issuer;
    if (known !== undefined) return known;
    if (equalBytes(der, root)) return await parseCertificate(root, this.#modules);
    const nowMs = this.#modules.clock.now();
    const { leaf } = await verifyPath([der], { root, nowMs }, this.#modules);
    const { authority, names } = leaf.extensions;
    const isEnrolment = names.uris.length === 1 && names.uris[0] === enrolmentUrn(project);
    if (authority !== undefined && isEnrolment) return leaf;
    throw new PkiError("ERR_CRL_UNTRUSTED", "the issuer is neither the root nor the enrolment CA");
  }

  #heldOf(issuer: Bytes): HeldRevocationList | undefined {
    return this.#held.find((held) => equalBytes(held.issuer.der, issuer));
  }
}

function requireNewer(number: number, held: number): void {
  if (number >= held) return;
  throw new PkiError("ERR_CRL_ROLLBACK", `revocation list ${number} came after list ${held}`);
}

/** What was signed is compared, not the signature: an ECDSA signature has a second form that says the same. */
function requireSame(list: RevocationList, held: RevocationList): void {
  if (equalBytes(list.tbs, held.tbs)) return;
  throw new PkiError("ERR_CRL_ROLLBACK", `there are two revocation lists with number ${list.number}`);
}

/** Of a certificate that was verified before: content of the INTEGER in hex. */
function serialNumberOf(der: Bytes): string {
  const [tbs = der] = derChildren(der);
  const serialNumber = derChildren(tbs)[1];
  if (serialNumber === undefined) throw new RangeError("a certificate without a serial number");
  return toHex(derContent(serialNumber, 2));
}
