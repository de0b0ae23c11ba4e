import type { Bytes } from "../bytes/index.ts";
import { AggregationError, StorageError } from "../errors/index.ts";
import type { Awaitable, ScratchFile, SecretKey } from "../platform/index.ts";
import type { AggregatorModules } from "./aggregator.ts";
import { blocksOf } from "./update.ts";

/** Floats that are encrypted together: 8 KiB, so that a column of ten thousand updates is 80 MB. */
export const RECORD_FLOATS = 2048;
/** Updates stay in memory until they are so many bytes together. */
const MEMORY_BYTES = 32 * 1024 * 1024;
const TAG_BYTES = 16;
const RECORD_BYTES = 4 * RECORD_FLOATS + TAG_BYTES;
/** Records that are written in one go: 256 KiB. */
const WRITE_RECORDS = 32;

/** Where an update is. */
type Place = Float32Array<ArrayBuffer> | { readonly slot: number };

interface Spill {
  readonly file: ScratchFile;
  readonly key: SecretKey;
}

/**
 * The updates of one round, for rules that have to see them together: the first ones in memory, the others in a scratch
 * file, one after another, under a key that this process made for them and keeps to itself.
 */
export class HeldUpdates {
  readonly #floats: number;
  readonly #modules: AggregatorModules;
  readonly #places: Place[] = [];
  #spill: Promise<Spill> | undefined;
  #slots = 0;

  /** @param floats of each update */
  constructor(floats: number, modules: AggregatorModules) {
    this.#floats = floats;
    this.#modules = modules;
  }

  /** How many there are. */
  get count(): number {
    return this.#places.length;
  }

  /**
   * Takes a copy of an update.
   * @throws AggregationError `ERR_AGGREGATION_TOO_LARGE` when there is neither memory for it nor scratch space;
   *   StorageError as {@link ScratchFile}
   */
  async append(update: Float32Array<ArrayBuffer>): Promise<void> {
    const isInMemory = 4 * this.#floats * (this.#places.length + 1) <= MEMORY_BYTES;
    this.#places.push(isInMemory ? await this.#copied(update) : await this.#spilled(update));
  }

  /** Forgets the last one. Its place in the scratch file stays unused: no record is written twice under one key. */
  dropLast(): void {
    this.#places.pop();
  }

  /**
   * Copies floats of update `index` from `start` on, a multiple of {@link RECORD_FLOATS}, into `target`.
   * @throws StorageError `ERR_STORAGE_CORRUPT` when the scratch file was changed
   */
  async read(index: number, start: number, target: Float32Array<ArrayBuffer>): Promise<void> {
    const place = this.#places[index];
    if (place === undefined || start % RECORD_FLOATS !== 0) throw new RangeError("no such part of an update");
    if (place instanceof Float32Array) target.set(place.subarray(start, start + target.length));
    else await this.#readSpilled(this.#recordAt(place.slot, start), target);
  }

  /** Forgets all of them and removes the scratch file; who comes next gets another key. */
  async clear(): Promise<void> {
    const spill = this.#spill;
    this.#spill = undefined;
    this.#places.length = 0;
    this.#slots = 0;
    await (await spill?.catch(() => undefined))?.file.close();
  }

  async #copied(update: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    const copy = new Float32Array(this.#floats);
    for await (const { start, values } of blocksOf(update, this.#modules.clock)) copy.set(values, start);
    return copy;
  }

  async #spilled(update: Float32Array<ArrayBuffer>): Promise<Place> {
    const { file, key } = await this.#opened();
    const slot = this.#slots++;
    const sealed = new Uint8Array(WRITE_RECORDS * RECORD_BYTES);
    for (let start = 0; start < this.#floats; start += WRITE_RECORDS * RECORD_FLOATS) {
      const first = this.#recordAt(slot, start);
      const part = update.subarray(start, start + WRITE_RECORDS * RECORD_FLOATS);
      const count = Math.ceil(part.length / RECORD_FLOATS);
      for (let record = 0; record < count; record++) {
        sealed.set(await this.#sealed(key, first + record, recordOf(part, record)), record * RECORD_BYTES);
      }
      await file.write(first * RECORD_BYTES, sealed.subarray(0, count * RECORD_BYTES));
    }
    return { slot };
  }

  async #readSpilled(first: number, target: Float32Array<ArrayBuffer>): Promise<void> {
    const { file, key } = await this.#opened();
    const count = Math.ceil(target.length / RECORD_FLOATS);
    const sealed = new Uint8Array(count * RECORD_BYTES);
    await file.read(first * RECORD_BYTES, sealed);
    for (let record = 0; record < count; record++) {
      const bytes = sealed.subarray(record * RECORD_BYTES, (record + 1) * RECORD_BYTES);
      const opened = await this.#modules.crypto.aesGcmOpen(key, nonce(first + record), bytes, NO_DATA);
      if (opened === undefined) throw new StorageError("ERR_STORAGE_CORRUPT", "the scratch file was changed");
      const floats = new Float32Array(opened.slice().buffer);
      const rest = target.length - record * RECORD_FLOATS;
      target.set(floats.subarray(0, Math.min(RECORD_FLOATS, rest)), record * RECORD_FLOATS);
    }
  }

  #sealed(key: SecretKey, record: number, plaintext: Bytes): Awaitable<Bytes> {
    return this.#modules.crypto.aesGcmSeal(key, nonce(record), plaintext, NO_DATA);
  }

  /** Each update begins with a record of its own. */
  #recordAt(slot: number, start: number): number {
    return slot * Math.ceil(this.#floats / RECORD_FLOATS) + start / RECORD_FLOATS;
  }

  #opened(): Promise<Spill> {
    this.#spill ??= this.#open();
    return this.#spill;
  }

  async #open(): Promise<Spill> {
    const { scratch, crypto } = this.#modules;
    if (scratch === undefined) {
      const problem = `updates of more than ${MEMORY_BYTES} bytes together, and no scratch space`;
      throw new AggregationError("ERR_AGGREGATION_TOO_LARGE", problem);
    }
    const raw = crypto.randomBytes(32);
    const key = await crypto.importAesGcmKey(raw);
    return { file: await scratch.open(), key };
  }
}

const NO_DATA = new Uint8Array(0);

/** The place of a record, which is written once under its key: a record moved elsewhere does not open. */
function nonce(record: number): Bytes {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setBigUint64(4, BigInt(record));
  return iv;
}

/** One whole record of a part; what lies beyond the update is zero. */
function recordOf(part: Float32Array<ArrayBuffer>, record: number): Bytes {
  const floats = new Float32Array(RECORD_FLOATS);
  floats.set(part.subarray(record * RECORD_FLOATS, (record + 1) * RECORD_FLOATS));
  return new Uint8Array(floats.buffer);
}
