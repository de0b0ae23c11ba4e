import { type Decomposer, type RegisteredClass, requireFields } from "../decomposer.ts";

/**
 * One field of a registered record: its place in the table is its place on the wire. A table only grows at its end,
 * under a fresh id.
 */
export interface RecordField<T = unknown> {
  /** What travels for the value. @throws RangeError when it may not travel */
  toWire(value: T): unknown;
  /** The value of what travelled. @throws RangeError when it stands for none */
  fromWire(wire: unknown): T;
}

/** A field for each property of `T`. */
export type RecordFields<T> = { readonly [Name in keyof T]: RecordField<T[Name]> };

/** Options of {@link recordDecomposer}. */
export interface RecordOptions<T extends object, Name extends keyof T & string> {
  /** From 1 000 on for applications; never reused. */
  readonly id: number;
  /** The class whose values travel. */
  readonly type: RegisteredClass<T>;
  /** Name of the type in messages. */
  readonly name: string;
  /** Field table, in wire order. */
  readonly fields: RecordFields<Pick<T, Name>>;
  /** Makes the value from its checked fields. */
  readonly create: (fields: Pick<T, Name>) => T;
}

/** The decomposer of a data class: its fields travel by position (FLARE: data-class auto-registration, but explicit). */
export function recordDecomposer<T extends object, Name extends keyof T & string>(
  options: RecordOptions<T, Name>,
): Decomposer<T> {
  const { id, name, type, create } = options;
  const table = Object.entries<RecordField<T[Name]>>(options.fields);
  return {
    id,
    name,
    type,
    decompose: (value) => table.map(([key, field]) => named(key, () => field.toWire(value[key as Name]))), // keys of `fields` are names of T
    compose(wire) {
      const values = requireFields(wire, table.length);
      const composed = table.map(([key, field], index) => [
        key,
        named(key, () => field.fromWire(values[index])),
      ]);
      return create(Object.fromEntries(composed) as Pick<T, Name>); // each field has proved its own
    },
  };
}

/** Adds the field's name to what is wrong with it. */
function named<T>(key: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new RangeError(`field ${key}: ${cause instanceof Error ? cause.message : "refused"}`, { cause });
  }
}
