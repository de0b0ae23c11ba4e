import * as v from "valibot";
import { type Bytes, fromUtf8, toHex, utf8 } from "../bytes/index.ts";
import { StorageError } from "../errors/index.ts";
import type { MetadataStore } from "../platform/index.ts";

/** An invite as it is stored, under the digest of its code; the code itself is nowhere. */
export interface InviteRecord {
  /** Organization of the sites that enrol. */
  readonly org: string;
  /** Sites are named `<prefix>-<number>`, or begin so. */
  readonly prefix: string;
  /** How many sites may enrol. */
  readonly uses: number;
  /** Until when, ms since 1970. */
  readonly expiresAtMs: number;
}

/** One use of an invite, or one name taken: bound to the key that did it. */
interface KeyRecord {
  /** SHA-256 of the SubjectPublicKeyInfo, hex. */
  readonly key: string;
}

const InviteSchema = v.strictObject({
  org: v.pipe(v.string(), v.maxLength(63)),
  prefix: v.pipe(v.string(), v.maxLength(48)),
  uses: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  expiresAtMs: v.pipe(v.number(), v.safeInteger()),
});

const KeySchema = v.strictObject({ key: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) });

/** The records of enrolment in the metadata role. Every claim is a create-if-absent, so gateways never share one. */
export class InviteStore {
  readonly #metadata: MetadataStore;

  constructor(metadata: MetadataStore) {
    this.#metadata = metadata;
  }

  /** @throws StorageError `ERR_STORAGE_EXISTS` */
  async add(codeDigest: Bytes, invite: InviteRecord): Promise<void> {
    await this.#metadata.create(inviteKey(codeDigest), encode(invite));
  }

  /** @throws StorageError `ERR_STORAGE_CORRUPT` */
  async find(codeDigest: Bytes): Promise<InviteRecord | undefined> {
    const entry = await this.#metadata.get(inviteKey(codeDigest));
    return entry === undefined ? undefined : decode(InviteSchema, entry.value);
  }

  /**
   * Takes one use for a key; a key that has one keeps it, so that who lost the answer may ask again.
   * @returns false when all uses are taken
   */
  async claimUse(codeDigest: Bytes, uses: number, key: string): Promise<boolean> {
    const prefix = `enrolment/uses/${toHex(codeDigest)}/`;
    const taken = await this.#metadata.list(prefix);
    if (taken.some(({ value }) => decode(KeySchema, value).key === key)) return true;
    for (let use = taken.length; use < uses; use++) {
      if (await this.#create(`${prefix}${use}`, { key })) return true;
    }
    return false;
  }

  /** Takes a name for a key. @returns false when another key has it */
  async claimName(name: string, key: string): Promise<boolean> {
    const path = nameKey(name);
    if (await this.#create(path, { key })) return true;
    const entry = await this.#metadata.get(path);
    return entry !== undefined && decode(KeySchema, entry.value).key === key;
  }

  /** The names under a prefix that keys have taken, with the key of each. */
  async names(prefix: string): Promise<ReadonlyMap<string, string>> {
    const entries = await this.#metadata.list(nameKey(prefix));
    return new Map(
      entries.map(({ key, value }) => [key.slice(nameKey("").length), decode(KeySchema, value).key]),
    );
  }

  async #create(path: string, record: KeyRecord): Promise<boolean> {
    try {
      await this.#metadata.create(path, encode(record));
      return true;
    } catch (error) {
      if (error instanceof StorageError && error.code === "ERR_STORAGE_EXISTS") return false;
      throw error;
    }
  }
}

function inviteKey(codeDigest: Bytes): string {
  return `enrolment/invites/${toHex(codeDigest)}`;
}

function nameKey(name: string): string {
  return `enrolment/names/${name}`;
}

function encode(record: InviteRecord | KeyRecord): Bytes {
  return utf8(JSON.stringify(record));
}

function decode<T>(schema: v.GenericSchema<unknown, T>, value: Bytes): T {
  try {
    return v.parse(schema, JSON.parse(fromUtf8(value)));
  } catch (cause) {
    throw new StorageError("ERR_STORAGE_CORRUPT", "a record of enrolment is unreadable", { cause });
  }
}
