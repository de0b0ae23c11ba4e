import { type Bytes, toBytes } from "../bytes/index.ts";
import { AggregationError, StorageError } from "../errors/index.ts";
import type { Awaitable, ScratchFile, SecretKey } from "../platform/index.ts";
import type { AggregatorModules } from "./aggregator.ts";
import { blocksOf } from "./update.ts";

/** Most floats that are encrypted together, and least: 64 KiB and 4 KiB. */
const MOST_RECORD_FLOATS = 16_384;
const LEAST_RECORD_FLOATS = 1024;
/** What one record of each update together should not exceed: 64 MiB. */
const ABREAST_FLOATS = 16_777_216;
/** Updates stay in memory until they are so many bytes together. */
const MEMORY_BYTES = 32 * 1024 * 1024;
const TAG_BYTES = 16;
/** Floats that are written in one go: 256 KiB. */
const WRITE_FLOATS = 65_536;

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
  /** Floats that are encrypted together: where {@link read} may begin. */
  readonly recordFloats: number;
  readonly #floats: number;
  readonly #modules: AggregatorModules;
  readonly #places: Place[] = [];
  #spill: Promise<Spill> | undefined;
  #slots = 0;

  /** @param floats of each update @param expected how many there will be, about: the more, the smaller the records */
  constructor(floats: number, expected: number, modules: AggregatorModules) {
    this.#floats = floats;
    this.#modules = modules;
    const each = 2 ** Math.floor(Math.log2(ABREAST_FLOATS / Math.max(1, expected)));
    this.recordFloats = Math.max(LEAST_RECORD_FLOATS, Math.min(MOST_RECORD_FLOATS, each));
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
   * Copies floats of update `index` from `start` on, a multiple of {@link recordFloats}, into `target`.
   * @throws StorageError `ERR_STORAGE_CORRUPT` when the scratch file was changed
   */
  async read(index: number, start: number, target: Float32Array<ArrayBuffer>): Promise<void> {
    const place = this.#places[index];
    if (place === undefined || start % this.recordFloats !== 0)
      throw new RangeError("no such part of an update");
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
    const plain = new Float32Array(this.recordFloats); // what lies beyond the update is zero
    const sealed = new Uint8Array((WRITE_FLOATS / this.recordFloats) * this.#recordBytes);
    for (let start = 0; start < this.#floats; start += WRITE_FLOATS) {
      const first = this.#recordAt(slot, start);
      const part = update.subarray(start, start + WRITE_FLOATS);
      const count = Math.ceil(part.length / this.recordFloats);
      for (let record = 0; record < count; record++) {
        const values = part.subarray(record * this.recordFloats, (record + 1) * this.recordFloats);
        plain.set(values);
        plain.fill(0, values.length);
        sealed.set(await this.#sealed(key, first + record, toBytes(plain)), record * this.#recordBytes);
      }
      await file.write(first * this.#recordBytes, sealed.subarray(0, count * this.#recordBytes));
    }
    return { slot };
  }

  async #readSpilled(first: number, target: Float32Array<ArrayBuffer>): Promise<void> {
    const { file, key } = await this.#opened();
    const count = Math.ceil(target.length / this.recordFloats);
    const sealed = new Uint8Array(count * this.#recordBytes);
    await file.read(first * this.#recordBytes, sealed);
    for (let record = 0; record < count; record++) {
      const bytes = sealed.subarray(record * this.#recordBytes, (record + 1) * this.#recordBytes);
      const opened = await this.#openedRecord(key, first + record, bytes);
      const rest = target.length - record * this.recordFloats;
      const floats = new Float32Array(opened.buffer, opened.byteOffset, Math.min(this.recordFloats, rest));
      target.set(floats, record * this.recordFloats);
    }
  }

  async #openedRecord(key: SecretKey, record: number, bytes: Bytes): Promise<Bytes> {
    const { crypto } = this.#modules;
    const ciphertext = bytes.subarray(0, bytes.byteLength - TAG_BYTES);
    const tag = bytes.subarray(bytes.byteLength - TAG_BYTES);
    const request = { iv: nonce(record), aad: NO_DATA, ciphertext, tag, inPlace: true };
    const opened =
      crypto.aesGcmOpenApart === undefined
        ? await crypto.aesGcmOpen(key, request.iv, bytes, NO_DATA)
        : await crypto.aesGcmOpenApart(key, request);
    if (opened === undefined) throw new StorageError("ERR_STORAGE_CORRUPT", "the scratch file was changed");
    return opened.byteOffset % 4 === 0 ? opened : opened.slice();
  }

  #sealed(key: SecretKey, record: number, plaintext: Bytes): Awaitable<Bytes> {
    return this.#modules.crypto.aesGcmSeal(key, nonce(record), plaintext, NO_DATA);
  }

  get #recordBytes(): number {
    return 4 * this.recordFloats + TAG_BYTES;
  }

  /** Each update begins with a record of its own. */
  #recordAt(slot: number, start: number): number {
    return slot * Math.ceil(this.#floats / this.recordFloats) + start / this.recordFloats;
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
