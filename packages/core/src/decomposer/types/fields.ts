import type { Bytes } from "../../bytes/index.ts";
import type { RecordField } from "./record.ts";

/** A field that holds one of the given strings, which travels as its index: a named union (FLARE: enum). */
export function unionField<const Member extends string>(members: readonly Member[]): RecordField<Member> {
  return {
    toWire(value) {
      const index = members.indexOf(value);
      if (index < 0) throw new RangeError(`expected one of ${members.join(", ")}`);
      return index;
    },
    fromWire(wire) {
      // -0 would be a second encoding of 0.
      const member = typeof wire === "number" && !Object.is(wire, -0) ? members[wire] : undefined;
      if (member === undefined) throw new RangeError(`expected the index of one of ${members.join(", ")}`);
      return member;
    },
  };
}

/** A field of which `isMember` is the proof: plain data or a registered class. */
export function valueField<T>(isMember: (value: unknown) => value is T, expected: string): RecordField<T> {
  const prove = (value: unknown): T => {
    if (!isMember(value)) throw new RangeError(`expected ${expected}`);
    return value;
  };
  return { toWire: prove, fromWire: prove };
}

/** An integer from `min` to `max`, both safe. */
export function integerField(min: number, max: number): RecordField<number> {
  const isMember = (value: unknown): value is number =>
    typeof value === "number" &&
    Number.isSafeInteger(value) &&
    !Object.is(value, -0) &&
    value >= min &&
    value <= max;
  return valueField(isMember, `an integer from ${min} to ${max}`);
}

/** A finite number. */
export function finiteField(): RecordField<number> {
  return valueField(
    (value): value is number => typeof value === "number" && Number.isFinite(value),
    "a finite number",
  );
}

/** A string of at most `maxLength` UTF-16 units. */
export function textField(maxLength: number): RecordField<string> {
  const isMember = (value: unknown): value is string =>
    typeof value === "string" && value.length <= maxLength;
  return valueField(isMember, `a string of at most ${maxLength} characters`);
}

/** True or false. */
export function booleanField(): RecordField<boolean> {
  return valueField((value): value is boolean => typeof value === "boolean", "true or false");
}

/** A byte string of at most `maxLength` bytes; a copy when it comes from the wire. */
export function bytesField(maxLength: number): RecordField<Bytes> {
  const isMember = (value: unknown): value is Bytes =>
    value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && value.byteLength <= maxLength;
  return valueField(isMember, `at most ${maxLength} bytes`);
}

/** A field that may be `undefined`, which travels as null. */
export function optionalField<T>(field: RecordField<T>): RecordField<T | undefined> {
  return {
    toWire: (value) => (value === undefined ? null : field.toWire(value)),
    fromWire: (wire) => (wire === null ? undefined : field.fromWire(wire)),
  };
}

/** A list of at most `maxLength` values of `field`. */
export function listField<T>(field: RecordField<T>, maxLength: number): RecordField<readonly T[]> {
  const requireList = (list: unknown): readonly unknown[] => {
    if (!Array.isArray(list) || list.length > maxLength)
      throw new RangeError(`expected a list of at most ${maxLength} values`);
    return list;
  };
  return {
    toWire: (value) => {
      requireList(value);
      return Array.from(value, (item) => field.toWire(item));
    },
    fromWire: (wire) => requireList(wire).map((item) => field.fromWire(item)),
  };
}
