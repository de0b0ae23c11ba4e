import * as v from "valibot";
import { type Bytes, fromUtf8, utf8 } from "../bytes/index.ts";
import { StorageError } from "../errors/index.ts";
import type { MetadataEntry, MetadataStore } from "../platform/index.ts";

/** Processes that share the records change one each at a time. */
const MAX_ATTEMPTS = 16;

/** A change that somebody else's comes before. */
const isBeaten = (error: unknown): boolean =>
  error instanceof StorageError &&
  (error.code === "ERR_STORAGE_EXISTS" || error.code === "ERR_STORAGE_CONFLICT");

/** Records of one kind in the metadata role, as JSON; each claim is a create-if-absent, each change a compare-and-swap. */
export class EnrolmentRecords<Kept> {
  readonly #metadata: MetadataStore;
  readonly #prefix: string;
  readonly #schema: v.GenericSchema<unknown, Kept>;

  /** @param prefix of the keys, with a slash at its end */
  constructor(metadata: MetadataStore, prefix: string, schema: v.GenericSchema<unknown, Kept>) {
    this.#metadata = metadata;
    this.#prefix = prefix;
    this.#schema = schema;
  }

  /** @throws StorageError `ERR_STORAGE_CORRUPT` */
  async find(name: string): Promise<Kept | undefined> {
    const entry = await this.#metadata.get(this.#prefix + name);
    return entry === undefined ? undefined : this.#decode(entry.value);
  }

  /** Every record whose name begins so, by name. @throws StorageError `ERR_STORAGE_CORRUPT` */
  async list(beginning = ""): Promise<ReadonlyMap<string, Kept>> {
    const entries = await this.#metadata.list(this.#prefix + beginning);
    return new Map(entries.map((entry) => [this.#nameOf(entry), this.#decode(entry.value)]));
  }

  /** Takes a name. @returns false when there is a record under it, which stays */
  async create(name: string, record: Kept): Promise<boolean> {
    try {
      await this.#metadata.create(this.#prefix + name, encode(record));
      return true;
    } catch (error) {
      if (isBeaten(error)) return false;
      throw error;
    }
  }

  /**
   * Puts what `next` makes of a record in its place, and asks it again when another process was quicker.
   * @param next gets `undefined` when there is no record; what it returns unchanged is not written
   * @returns what holds then
   */
  async change(name: string, next: (present: Kept | undefined) => Kept | Promise<Kept>): Promise<Kept> {
    const key = this.#prefix + name;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const entry = await this.#metadata.get(key);
      const present = entry === undefined ? undefined : this.#decode(entry.value);
      const record = await next(present);
      if (record === present) return record;
      try {
        if (entry === undefined) await this.#metadata.create(key, encode(record));
        else await this.#metadata.put(key, encode(record), entry.revision);
        return record;
      } catch (error) {
        if (!isBeaten(error)) throw error;
      }
    }
    throw new StorageError("ERR_STORAGE_CONFLICT", `${key} is changed by too many at once`);
  }

  /** Forgets a record; a missing one is no error. */
  async delete(name: string): Promise<void> {
    await this.#metadata.delete(this.#prefix + name);
  }

  #nameOf({ key }: MetadataEntry): string {
    return key.slice(this.#prefix.length);
  }

  #decode(value: Bytes): Kept {
    try {
      return v.parse(this.#schema, JSON.parse(fromUtf8(value)));
    } catch (cause) {
      throw new StorageError("ERR_STORAGE_CORRUPT", "a record of enrolment is unreadable", { cause });
    }
  }
}

function encode(record: unknown): Bytes {
  return utf8(JSON.stringify(record));
}
