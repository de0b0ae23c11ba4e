import { type Bytes, concatBytes, fromHex, toHex } from "@photinus/core/bytes";
import {
  type PositionalReader,
  type PositionalValue,
  readPositional,
  writePositional,
} from "@photinus/core/decomposer";
import { DecomposerError } from "@photinus/core/errors";
import { seededRandom } from "@photinus/core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

const REFUSED = expect.objectContaining({ name: "DecomposerError", code: "ERR_DECODE_REFUSED" });

interface Header {
  readonly version: number;
  readonly from: string;
  readonly sid: Bytes;
  readonly inReplyTo: Bytes | undefined;
  readonly chain: readonly Bytes[];
  readonly payload: { readonly codec: number; readonly isLast: boolean };
}

function readHeader(r: PositionalReader): Header {
  return {
    version: r.uint(255),
    from: r.text(128),
    sid: r.bin(32),
    inReplyTo: r.nullable(() => r.bin(16)),
    chain: r.array(4, () => r.bin(undefined, 8192)),
    payload: r.tuple(() => ({ codec: r.uint(255), isLast: r.boolean() })),
  };
}

const aHeader = (): PositionalValue[] => [
  1,
  "site-1",
  new Uint8Array(32).fill(7),
  null,
  [new Uint8Array(300), new Uint8Array(2)],
  [2, true],
];

test("reads what was written, position by position", () => {
  const header = readPositional(writePositional(aHeader()), readHeader);

  expect(header).toEqual({
    version: 1,
    from: "site-1",
    sid: new Uint8Array(32).fill(7),
    inReplyTo: undefined,
    chain: [new Uint8Array(300), new Uint8Array(2)],
    payload: { codec: 2, isLast: true },
  });
});

test("has one encoding: these bytes stay as they are", () => {
  const bytes = writePositional([
    0,
    127,
    128,
    65535,
    65536,
    2 ** 32,
    -1,
    -33,
    0.5,
    "ä",
    fromHex("00ff"),
    null,
    true,
    [],
  ]);

  expect(toHex(bytes)).toBe(
    "9e007fcc80cdffffce00010000cf0000000100000000ffd0dfcb3fe0000000000000a2c3a4c40200ffc0c390",
  );
});

test("takes byte strings as copies, so that the frame may be reused", () => {
  const bytes = writePositional([fromHex("0102")]);
  const [taken] = readPositional(bytes, (r) => [r.bin(2)] as const);
  bytes.fill(0);

  expect(toHex(taken)).toBe("0102");
});

const read = (hex: string, take: (r: PositionalReader) => unknown): unknown =>
  readPositional(fromHex(hex), take);

test.each<[string, string, (r: PositionalReader) => unknown]>([
  ["no bytes", "", (r) => r.uint()],
  ["something that is no array", "01", (r) => r.uint()],
  ["too few positions", "9101", (r) => [r.uint(), r.uint()]],
  ["too many positions", "920102", (r) => r.uint()],
  ["bytes after the array", "910100", (r) => r.uint()],
  ["a longer form of an integer", "91cc01", (r) => r.uint()],
  ["a longer form of a negative integer", "91d0ff", (r) => r.int(-10, 10)],
  ["a positive integer in signed form", "91d001", (r) => r.uint()],
  ["a longer form of an array", "dc000101", (r) => r.uint()],
  ["a longer form of a string", "91d90161", (r) => r.text(5)],
  ["a longer form of bytes", "91c5000161", (r) => r.bin(1)],
  ["an integer beyond its bound", "91cc80", (r) => r.uint(127)],
  ["an integer outside the safe range", "91cf0020000000000000", (r) => r.uint()],
  ["a float for an integer", "91cb3fe0000000000000", (r) => r.uint()],
  ["a safe integer as float", "91cb3ff0000000000000", (r) => r.finite()],
  ["infinity", "91cb7ff0000000000000", (r) => r.finite()],
  ["NaN", "91cb7ff8000000000000", (r) => r.finite()],
  ["a string that is too long", "91a3616161", (r) => r.text(2)],
  ["a string that is too short", "91a0", (r) => r.text(2, 1)],
  ["a string that is not UTF-8", "91a2fffe", (r) => r.text(9)],
  ["a string for bytes", "91a161", (r) => r.bin(1)],
  ["bytes of another length", "91c40161", (r) => r.bin(2)],
  ["too many bytes", "91c40161", (r) => r.bin(undefined, 0)],
  ["nil where a value is required", "91c0", (r) => r.uint()],
  ["a declared length beyond the end", "91c6ffffffff", (r) => r.bin(undefined, 2 ** 33)],
  ["an array that declares more than there is", "ddffffffff", (r) => r.uint()],
  ["a list with too many values", "91920101", (r) => r.array(1, () => r.uint())],
  ["a list with too few values", "9190", (r) => r.array(1, () => r.uint(), 1)],
  ["a list with values of two positions", "9192", (r) => r.array(2, () => r.uint())],
  ["an extension", "91d40100", (r) => r.uint()],
  ["a byte that never begins a value", "91c1", (r) => r.uint()],
  ["a string outside the choices", "91a163", (r) => r.oneOf(["a", "b"])],
])("refuses %s", (_, hex, take) => {
  expect(() => read(hex, take)).toThrow(REFUSED);
});

test("names the position of what it refuses", () => {
  const bytes = writePositional([1, "site-1", new Uint8Array(32), null, [new Uint8Array(2), 5], [2, true]]);

  expect(() => readPositional(bytes, readHeader)).toThrow("position 4.1");
});

test("refuses to write what has no strict form", () => {
  const refused = expect.objectContaining({ code: "ERR_ENCODE_REFUSED" });

  expect(() => writePositional([Number.NaN])).toThrow(refused);
  expect(() => writePositional([Number.POSITIVE_INFINITY])).toThrow(refused);
  expect(() => writePositional(["\ud800"])).toThrow(refused);
  expect(() => writePositional([[[[[[[[[[]]]]]]]]]])).toThrow(refused);
});

const TAKE = {
  int: (r: PositionalReader) => r.int(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  finite: (r: PositionalReader) => r.finite(),
  text: (r: PositionalReader) => r.text(10_000),
  bin: (r: PositionalReader) => r.bin(undefined, 300),
  boolean: (r: PositionalReader) => r.boolean(),
};

test("every list of scalars survives the round trip", () => {
  const scalar = fc.oneof(
    fc.record({ kind: fc.constant("int" as const), value: fc.maxSafeInteger() }),
    fc.record({
      kind: fc.constant("finite" as const),
      value: fc.double({ noNaN: true, noDefaultInfinity: true }),
    }),
    fc.record({ kind: fc.constant("text" as const), value: fc.string({ unit: "binary" }) }),
    fc.record({ kind: fc.constant("bin" as const), value: fc.uint8Array({ maxLength: 300 }) }),
    fc.record({ kind: fc.constant("boolean" as const), value: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(scalar, { maxLength: 40 }), (items) => {
      const bytes = writePositional(items.map(({ value }) => value));
      const back = readPositional(bytes, (r) => items.map(({ kind }) => TAKE[kind](r)));

      expect(back).toEqual(items.map(({ value }) => value));
      expect(writePositional(back)).toEqual(bytes);
    }),
    { seed: 1 },
  );
});

test("hostile bytes raise nothing but a refusal", () => {
  const random = seededRandom("positional");
  const good = writePositional(aHeader());
  for (let attempt = 0; attempt < 5000; attempt++) {
    const bytes = attempt % 2 === 0 ? random.bytes(random.integer(64)) : concatBytes(good);
    if (attempt % 2 === 1) bytes[random.integer(40)] = random.integer(256);
    const cut = attempt % 3 === 0 ? bytes.subarray(0, random.integer(bytes.length + 1)) : bytes;
    try {
      readPositional(cut, readHeader);
    } catch (error) {
      expect(error).toBeInstanceOf(DecomposerError);
    }
  }
});

test("writes every kind of value across the growth of its buffer", () => {
  for (let filler = 0; filler < 300; filler++) {
    const values = ["x".repeat(filler), 2 ** 20, 0.5, -(2 ** 20), 2 ** 40, 300, -300, -(2 ** 40)];

    const read = readPositional(writePositional(values), (reader) => [
      reader.text(300),
      ...Array.from({ length: 7 }, () => reader.finite()),
    ]);

    expect(read).toEqual(values);
  }
});
