/** A set that is empty most of the time; see {@link SparseMap}. */
export class SparseSet<Value> {
  #values: Set<Value> | undefined;

  /** True when the value is in it. */
  has(value: Value): boolean {
    return this.#values?.has(value) ?? false;
  }

  /** Adds a value. */
  add(value: Value): void {
    this.#values ??= new Set();
    this.#values.add(value);
  }

  /** Removes a value. @returns true when it was there */
  delete(value: Value): boolean {
    const isRemoved = this.#values?.delete(value) ?? false;
    if (this.#values?.size === 0) this.#values = undefined;
    return isRemoved;
  }
}

/**
 * A map that is empty most of the time, and then takes next to no memory: a server holds several for each of thousands of
 * sessions.
 */
export class SparseMap<Key, Value> {
  #entries: Map<Key, Value> | undefined;

  /** Number of entries. */
  get size(): number {
    return this.#entries?.size ?? 0;
  }

  /** The value of a key. */
  get(key: Key): Value | undefined {
    return this.#entries?.get(key);
  }

  /** True when the key has a value. */
  has(key: Key): boolean {
    return this.#entries?.has(key) ?? false;
  }

  /** Gives a key a value; a new key is the last in order. */
  set(key: Key, value: Value): void {
    this.#entries ??= new Map();
    this.#entries.set(key, value);
  }

  /** Removes a key. @returns true when it was there */
  delete(key: Key): boolean {
    const isRemoved = this.#entries?.delete(key) ?? false;
    if (this.#entries?.size === 0) this.#entries = undefined;
    return isRemoved;
  }

  /** The key that has been there the longest. */
  get oldest(): Key | undefined {
    const first = this.#entries?.keys().next();
    return first?.done === false ? first.value : undefined;
  }

  /** All values, in the order of their keys. */
  values(): Iterable<Value> {
    return this.#entries?.values() ?? [];
  }

  /** All entries, in order; an entry may be removed while it is looked at. */
  [Symbol.iterator](): Iterator<readonly [Key, Value]> {
    return (this.#entries ?? new Map<Key, Value>()).entries();
  }
}
