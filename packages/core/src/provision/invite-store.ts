import * as v from "valibot";
import { type Bytes, toHex } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import { MAX_INVITE_USES } from "../message/index.ts";
import type { MetadataStore } from "../platform/index.ts";
import { MAX_DEVICES } from "./enrolled-participants.ts";
import { EnrolmentRecords } from "./enrolment-records.ts";

/** An invite as it is stored, under the digest of its code; the code itself is nowhere. */
export interface InviteRecord {
  /** Organization of the sites that enrol. */
  readonly org: string;
  /** Study whose sites they become. */
  readonly study?: string;
  /** Sites are named `<prefix>-<number>`, or begin so. */
  readonly prefix?: string;
  /** The one name that it gives, of a new participant or to a further device of one. */
  readonly name?: string;
  /** How many sites may enrol. */
  readonly uses: number;
  /** Until when, ms since 1970. */
  readonly expiresAtMs: number;
  /** Who made it; absent for the server's own command line. */
  readonly by?: string;
  /** Of an invite that a site made for its next device: SHA-256 of the site's SubjectPublicKeyInfo, hex. */
  readonly byKey?: string;
  /** True when an administrator has ended it. */
  readonly isWithdrawn?: boolean;
}

/** One use of an invite, bound to the key that took it. */
interface UseRecord {
  /** SHA-256 of the SubjectPublicKeyInfo, hex. */
  readonly key: string;
}

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));

const InviteSchema: v.GenericSchema<unknown, InviteRecord> = v.strictObject({
  org: text(63),
  study: v.exactOptional(text(63)),
  prefix: v.exactOptional(text(48)),
  name: v.exactOptional(text(63)),
  uses: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(MAX_INVITE_USES)),
  expiresAtMs: v.pipe(v.number(), v.safeInteger()),
  by: v.exactOptional(text(128)),
  byKey: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  isWithdrawn: v.exactOptional(v.boolean()),
});

const UseSchema: v.GenericSchema<unknown, UseRecord> = v.strictObject({
  key: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

/** An invite is shown this long after its end, then forgotten. */
const FORGET_MS = 30 * 86_400_000;

/** How much may be open at once; org administrators are trusted with their organization, not with the server. */
export interface InviteQuota {
  /** Invites of one organization that have not ended. Default 100. */
  readonly invites: number;
  /** Uses that these have together. Default 10 000. */
  readonly uses: number;
}

/** What holds where an option does not say otherwise. */
export const DEFAULT_INVITE_QUOTA: InviteQuota = { invites: 100, uses: 10_000 };

/** The invites of a server. Every use is a create-if-absent, so gateways never share one. */
export class InviteStore {
  readonly #invites: EnrolmentRecords<InviteRecord>;
  readonly #uses: EnrolmentRecords<UseRecord>;

  constructor(metadata: MetadataStore) {
    this.#invites = new EnrolmentRecords(metadata, "enrolment/invites/", InviteSchema);
    this.#uses = new EnrolmentRecords(metadata, "enrolment/uses/", UseSchema);
  }

  /**
   * Keeps an invite, and forgets those that ended long ago.
   * @throws PkiError `ERR_QUOTA_EXCEEDED`, or `ERR_NAME_TAKEN` when there is an invite under this digest
   */
  async add(codeDigest: Bytes, invite: InviteRecord, { quota, nowMs }: Adding): Promise<void> {
    const ofOrg = await this.#openOf(invite.org, nowMs);
    if (invite.byKey !== undefined) requireFewOfSite(invite, ofOrg);
    // What its sites make for devices of their own leaves an organization's share to its administrators.
    const open = invite.byKey === undefined ? ofOrg.filter(({ byKey }) => byKey === undefined) : [];
    const uses = open.reduce((sum, each) => sum + each.uses, invite.uses);
    if (open.length >= quota.invites || uses > quota.uses) {
      throw new PkiError(
        "ERR_QUOTA_EXCEEDED",
        `${invite.org} has ${open.length} invites open; at most ${quota.invites} with ${quota.uses} uses together`,
      );
    }
    if (!(await this.#invites.create(toHex(codeDigest), invite))) {
      throw new PkiError("ERR_NAME_TAKEN", "there is an invite with this code already");
    }
  }

  /** @throws StorageError `ERR_STORAGE_CORRUPT` */
  async find(codeDigest: Bytes): Promise<InviteRecord | undefined> {
    return await this.#invites.find(toHex(codeDigest));
  }

  /** Every invite, by the digest of its code in hex. */
  async list(): Promise<ReadonlyMap<string, InviteRecord>> {
    return await this.#invites.list();
  }

  /** How often an invite was used. */
  async used(codeDigest: string): Promise<number> {
    return (await this.#uses.list(`${codeDigest}/`)).size;
  }

  /** Ends an invite. @throws PkiError `ERR_REQUEST_UNKNOWN` */
  async withdraw(codeDigest: Bytes): Promise<InviteRecord> {
    return await this.#invites.change(toHex(codeDigest), (present) => {
      if (present === undefined) throw new PkiError("ERR_REQUEST_UNKNOWN", "there is no such invite");
      return present.isWithdrawn === true ? present : { ...present, isWithdrawn: true };
    });
  }

  /**
   * Takes one use for a key; a key that has one keeps it, so that who lost the answer may ask again.
   * @returns false when all uses are taken
   */
  async claimUse(codeDigest: Bytes, uses: number, key: string): Promise<boolean> {
    const prefix = `${toHex(codeDigest)}/`;
    const taken = await this.#uses.list(prefix);
    if ([...taken.values()].some((use) => use.key === key)) return true;
    for (let use = taken.size; use < uses; use++) {
      if (await this.#uses.create(`${prefix}${use}`, { key })) return true;
    }
    return false;
  }

  /** Invites of an organization that have not ended. */
  async #openOf(org: string, nowMs: number): Promise<readonly InviteRecord[]> {
    const open: InviteRecord[] = [];
    for (const [digest, invite] of await this.#invites.list()) {
      if (nowMs >= invite.expiresAtMs + FORGET_MS) await this.#forget(digest);
      else if (invite.org === org && invite.isWithdrawn !== true && nowMs < invite.expiresAtMs)
        open.push(invite);
    }
    return open;
  }

  async #forget(digest: string): Promise<void> {
    for (const use of (await this.#uses.list(`${digest}/`)).keys()) await this.#uses.delete(use);
    await this.#invites.delete(digest);
  }
}

/** @throws PkiError `ERR_QUOTA_EXCEEDED` */
function requireFewOfSite({ name = "" }: InviteRecord, open: readonly InviteRecord[]): void {
  const own = open.filter((each) => each.byKey !== undefined && each.name === name).length;
  if (own < MAX_DEVICES) return;
  throw new PkiError("ERR_QUOTA_EXCEEDED", `${name} has invited ${own} devices within the hour`);
}

interface Adding {
  readonly quota: InviteQuota;
  readonly nowMs: number;
}
