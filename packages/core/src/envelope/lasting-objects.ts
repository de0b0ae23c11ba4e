import { type Bytes, concatBytes, equalBytes, toHex } from "../bytes/index.ts";
import { readPositional, writePositional } from "../decomposer/index.ts";
import { EnvelopeError, StorageError } from "../errors/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { MAX_OBJECT_LIFETIME_MS } from "./object.ts";
import type { HandledObject, ObjectReplayStore } from "./replay-store.ts";

/** Records of objects and counters that a participant keeps at once. */
export const MAX_SEEN_OBJECTS = 8192;
/** Records are kept this long beyond need: a clock that is set back by less makes nothing acceptable again. */
const MARGIN_MS = 86_400_000;
/** Full records are read again for expired ones so often: it takes a second, and others choose when it is due. */
const PRUNE_EVERY_MS = 60_000;
/** Processes that share the records change one each at a time. */
const MAX_ATTEMPTS = 16;
const DIGEST_BYTES = 32;
const MAX_RECORD_NAME = 128;

/** Where a participant keeps what it has seen: small records by name, durable when a call resolves. */
export interface ObjectRecords {
  /** Every record. Names: lower-case letters, digits and dashes, at most 128. */
  list(): Promise<readonly { readonly name: string; readonly value: Bytes }[]>;
  /** One record; `undefined` when there is none. */
  get(name: string): Promise<Bytes | undefined>;
  /** Keeps a record. @returns false when there is one of this name, which stays */
  create(name: string, value: Bytes): Promise<boolean>;
  /** Puts a record in place of `before`. @returns false when another one is there, which stays */
  replace(name: string, value: Bytes, before: Bytes): Promise<boolean>;
  /** Removes a record; a missing one is no error. */
  delete(name: string): Promise<void>;
}

/** An object with an effect that takes a while, such as a job. */
export type OfferedObject = Pick<HandledObject, "objectId" | "digest" | "expiresAt">;

/** What {@link openLastingObjects} works with. */
export interface LastingObjectsModules {
  /** Where the records are. */
  readonly records: ObjectRecords;
  /** The local clock. */
  readonly clock: Pick<Clock, "now">;
  /** For the digest of each record. */
  readonly crypto: CryptoProvider;
}

/**
 * How far an object is: `begun` has an effect that goes on, in a later process too; `ended` had one that is over;
 * `handled` had its effect at once.
 */
const STATES = ["begun", "ended", "handled"] as const;

interface SeenObject {
  readonly state: (typeof STATES)[number];
  readonly digest: Bytes;
  readonly expiresAt: number;
}

interface SeenCounter {
  readonly counter: number;
  readonly expiresAt: number;
}

/**
 * Reads what was kept, checks all of it and forgets what has expired.
 * @throws StorageError `ERR_SEEN_OBJECTS_CORRUPT`: then nothing may be taken that could be a repetition
 */
export async function openLastingObjects(modules: LastingObjectsModules): Promise<LastingObjects> {
  const objects = new LastingObjects(modules);
  await objects.prune();
  return objects;
}

/** Objects and counters that were seen, remembered beyond the process: until they expire nothing counts twice. */
export class LastingObjects implements ObjectReplayStore {
  readonly #modules: LastingObjectsModules;
  #count = 0;
  #nextPruneMs = 0;

  /** Use {@link openLastingObjects}, which checks what is there. */
  constructor(modules: LastingObjectsModules) {
    this.#modules = modules;
  }

  /**
   * An object is about to be taken whose effect takes a while. One that has begun goes on, after a crash as well.
   * @throws EnvelopeError `ERR_ENVELOPE_REPLAYED` when it has ended, or another one has its id; StorageError
   *   `ERR_SEEN_OBJECTS_FULL`, `ERR_SEEN_OBJECTS_CORRUPT`
   */
  async begin({ objectId, digest, expiresAt }: OfferedObject): Promise<void> {
    const name = objectName(objectId);
    const present = await this.#create(name, () => writeObject(name, { state: "begun", digest, expiresAt }));
    if (present === undefined) return;
    const seen = await this.#readObject(name, present);
    // [W-154]
    if (seen.state !== "begun" || !equalBytes(seen.digest, digest)) {
      throw new EnvelopeError(
        "ERR_ENVELOPE_REPLAYED",
        seen.state === "begun" ? "another object has this id" : "the object had its effect before",
      );
    }
  }

  /** The effect of an object that has begun is over; one that is not remembered is none to refuse. */
  async end(objectId: Bytes): Promise<void> {
    const name = objectName(objectId);
    await this.#change(name, async (present) => {
      if (present === undefined) return undefined;
      const seen = await this.#readObject(name, present);
      return seen.state === "begun" ? writeObject(name, { ...seen, state: "ended" }) : undefined;
    });
  }

  /** Digest of an object that was handled at once: the repetition of one that {@link begin} took is refused there. */
  async digestOf(objectId: Bytes): Promise<Bytes | undefined> {
    const name = objectName(objectId);
    const present = await this.#modules.records.get(name);
    if (present === undefined) return undefined;
    const { state, digest } = await this.#readObject(name, present);
    return state === "handled" ? digest : undefined;
  }

  /** Highest counter of this signer's objects of this kind. */
  async lastCounter(signer: Bytes, objectType: number): Promise<number | undefined> {
    const name = counterName(signer, objectType);
    const present = await this.#modules.records.get(name);
    return present === undefined ? undefined : (await this.#readCounter(name, present)).counter;
  }

  /** Records one. @throws StorageError `ERR_SEEN_OBJECTS_FULL`, `ERR_SEEN_OBJECTS_CORRUPT` */
  async record({ objectId, digest, expiresAt, counted }: HandledObject): Promise<void> {
    // The counter first: whatever a crash leaves undone, it does not go back.
    if (counted !== undefined) await this.#raise(counterName(counted.signer, counted.objectType), counted);
    const name = objectName(objectId);
    await this.#create(name, () => writeObject(name, { state: "handled", digest, expiresAt }));
  }

  /** Checks every record and forgets what has expired. @throws StorageError `ERR_SEEN_OBJECTS_CORRUPT` */
  async prune(): Promise<void> {
    const { records, clock } = this.#modules;
    const present = await records.list();
    let count = 0;
    for (const { name, value } of present) {
      const seen = name.startsWith(COUNTER_PREFIX)
        ? await this.#readCounter(name, value)
        : await this.#readObject(name, value);
      if (seen.expiresAt + MARGIN_MS > clock.now()) count++;
      else await records.delete(name);
    }
    this.#count = count;
    this.#nextPruneMs = clock.now() + PRUNE_EVERY_MS;
  }

  async #raise(name: string, { counter }: { readonly counter: number }): Promise<void> {
    // What an older counter could be replayed with has expired by then.
    const expiresAt = this.#modules.clock.now() + MAX_OBJECT_LIFETIME_MS;
    await this.#change(name, async (present) => {
      const last = present === undefined ? undefined : (await this.#readCounter(name, present)).counter;
      if (last !== undefined && last >= counter) return undefined;
      return writePositional([FORM, name, counter, expiresAt]);
    });
  }

  /** Writes what `next` makes of the record, until no other process came between; `undefined` leaves it. */
  async #change(
    name: string,
    next: (present: Bytes | undefined) => Promise<Bytes | undefined>,
  ): Promise<void> {
    const { records, crypto } = this.#modules;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const present = await records.get(name);
      const body = await next(present);
      if (body === undefined) return;
      if (present === undefined) {
        if ((await this.#create(name, () => body)) === undefined) return;
      } else if (await records.replace(name, await sealed(body, crypto), present)) return;
    }
    throw new StorageError("ERR_STORAGE_CONFLICT", `${name} is changed by too many at once`);
  }

  /** @returns the record that is there already */
  async #create(name: string, body: () => Bytes): Promise<Bytes | undefined> {
    const { records, crypto } = this.#modules;
    const present = await records.get(name);
    if (present !== undefined) return present;
    if (this.#count >= MAX_SEEN_OBJECTS && this.#modules.clock.now() >= this.#nextPruneMs) await this.prune();
    if (this.#count >= MAX_SEEN_OBJECTS) {
      throw new StorageError(
        "ERR_SEEN_OBJECTS_FULL",
        `${MAX_SEEN_OBJECTS} objects are remembered, and none has expired`,
      );
    }
    if (!(await records.create(name, await sealed(body(), crypto)))) return await records.get(name);
    this.#count++;
    return undefined;
  }

  async #readObject(name: string, record: Bytes): Promise<SeenObject> {
    const body = await opened(name, record, this.#modules.crypto);
    return read(name, body, (reader) => ({
      state: STATES[reader.uint(STATES.length - 1)] ?? "ended", // within the list: the reader has checked
      digest: reader.bin(DIGEST_BYTES),
      expiresAt: reader.uint(),
    }));
  }

  async #readCounter(name: string, record: Bytes): Promise<SeenCounter> {
    const body = await opened(name, record, this.#modules.crypto);
    return read(name, body, (reader) => ({ counter: reader.uint(), expiresAt: reader.uint() }));
  }
}

/** Version of the layout of a record. */
const FORM = 1;
const COUNTER_PREFIX = "counter-";

function objectName(objectId: Bytes): string {
  return `object-${toHex(objectId)}`;
}

function counterName(signer: Bytes, objectType: number): string {
  return `${COUNTER_PREFIX}${toHex(signer)}-${objectType}`;
}

function writeObject(name: string, { state, digest, expiresAt }: SeenObject): Bytes {
  return writePositional([FORM, name, STATES.indexOf(state), digest, expiresAt]);
}

/** With its digest before it: a record that a disk has changed is none. */
async function sealed(body: Bytes, crypto: CryptoProvider): Promise<Bytes> {
  return concatBytes(await crypto.sha256(body), body);
}

async function opened(name: string, record: Bytes, crypto: CryptoProvider): Promise<Bytes> {
  const body = record.slice(DIGEST_BYTES);
  if (equalBytes(record.subarray(0, DIGEST_BYTES), await crypto.sha256(body))) return body;
  throw corrupt(name);
}

type Reader = Parameters<Parameters<typeof readPositional>[1]>[0];

function read<T>(name: string, body: Bytes, positions: (reader: Reader) => T): T {
  try {
    return readPositional(body, (reader) => {
      reader.uint(FORM, FORM);
      if (reader.text(MAX_RECORD_NAME, 1) !== name) throw corrupt(name);
      return positions(reader);
    });
  } catch (cause) {
    throw cause instanceof StorageError ? cause : corrupt(name, cause);
  }
}

function corrupt(name: string, cause?: unknown): StorageError {
  return new StorageError("ERR_SEEN_OBJECTS_CORRUPT", `the record ${name} of what was seen is damaged`, {
    cause,
  });
}
