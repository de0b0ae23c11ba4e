import type { Bytes } from "../bytes/index.ts";

/** A class that a decomposer is registered for; compared by identity, so subclasses are another class. */
// biome-ignore lint/suspicious/noExplicitAny: only `never` or `any` parameters accept every constructor, and DateConstructor is callable too
export type RegisteredClass<T> = abstract new (...args: any[]) => T;

/**
 * Takes one class apart for the wire and puts it together again (FLARE: FOBS decomposer). The class never travels,
 * only the integer id.
 */
export interface Decomposer<T = unknown> {
  /** 1 to 65 535, unique in a registry and never reused: below 1 000 Photinus, from 1 000 on applications. */
  readonly id: number;
  /** Names the type in messages about refusals; never travels. */
  readonly name: string;
  /** The exact class; `"bigint"` is the one primitive that travels by a decomposer. */
  readonly type: RegisteredClass<T> | "bigint";
  /** Plain data and values of registered types that stand for `value`. @throws RangeError for a value that may not travel */
  decompose(value: T): unknown;
  /**
   * The value that `fields` stand for; they come from a peer and only their serialization was checked.
   * @throws anything when they stand for none
   */
  compose(fields: unknown): T;
}

/** The closed set of types that may travel, a value built by the program that starts. */
export interface DecomposerRegistry {
  /** The decomposer of an id from the wire; `undefined` for one that is not registered. */
  byId(id: number): Decomposer | undefined;
  /** The decomposer of the exact class of `value`; `undefined` for one that is not registered. */
  of(value: object | bigint): Decomposer | undefined;
}

/** Extension code of every registered type. All other codes are refused, the timestamp of MessagePack (-1) too. */
export const REGISTERED_EXTENSION = 1;

/** Bounds of one encoded value. */
export interface DecomposerLimits {
  /** Arrays, maps and registered values inside each other. Default 32. */
  readonly depth: number;
  /** Values altogether, keys of maps and parts of registered values included. Default 1 000 000. */
  readonly nodes: number;
  /** Length in bytes. Default 1 GiB: the envelope's limits are lower. */
  readonly bytes: number;
}

/** The limits that hold where none are given. */
export const DEFAULT_DECOMPOSER_LIMITS: DecomposerLimits = {
  depth: 32,
  nodes: 1_000_000,
  bytes: 1_073_741_824,
};

/**
 * A closed registry.
 * @throws RangeError when an id or a class occurs twice or an id is not 1 to 65 535
 */
export function createRegistry(decomposers: Iterable<Decomposer>): DecomposerRegistry {
  const byId = new Map<number, Decomposer>();
  const byType = new Map<unknown, Decomposer>();
  for (const decomposer of decomposers) {
    const { id, type, name } = decomposer;
    if (!Number.isInteger(id) || id < 1 || id > 0xffff)
      throw new RangeError(`${name}: an id is 1 to 65535, not ${id}`);
    if (byId.has(id)) throw new RangeError(`${name}: id ${id} is registered already`);
    if (byType.has(type)) throw new RangeError(`${name}: its class is registered already`);
    byId.set(id, decomposer);
    byType.set(type, decomposer);
  }
  return {
    byId: (id) => byId.get(id),
    of(value) {
      if (typeof value === "bigint") return byType.get("bigint");
      const prototype: unknown = Object.getPrototypeOf(value);
      const own = isObject(prototype) ? Object.getOwnPropertyDescriptor(prototype, "constructor") : undefined;
      return own === undefined ? undefined : byType.get(own.value);
    },
  };
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Narrows fields to an array of `length`. @throws RangeError for anything else */
export function requireFields(fields: unknown, length: number): readonly unknown[] {
  if (!Array.isArray(fields) || fields.length !== length) throw new RangeError(`expected ${length} fields`);
  return fields;
}

/** Narrows a field to bytes. @throws RangeError for anything else */
export function requireBytes(field: unknown): Bytes {
  if (!(field instanceof Uint8Array) || !(field.buffer instanceof ArrayBuffer))
    throw new RangeError("expected bytes");
  return field as Bytes; // both checks are the proof
}
