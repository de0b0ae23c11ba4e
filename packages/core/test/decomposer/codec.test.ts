import { encode as bareEncode } from "@msgpack/msgpack";
import { type Bytes, concatBytes, fromHex, toHex } from "@photinus/core/bytes";
import { builtInRegistry, createRegistry, type Decomposer, decode, encode } from "@photinus/core/decomposer";
import { BYTES_PER_ELEMENT, type DType, elementCount, ParameterSet, Tensor } from "@photinus/core/tensor";
import { seededRandom } from "@photinus/core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Measurement, measurementDecomposer } from "./notation.ts";

const registry = builtInRegistry(measurementDecomposer);
const decodeRefused = expect.objectContaining({ name: "DecomposerError", code: "ERR_DECODE_REFUSED" });
const encodeRefused = expect.objectContaining({ name: "DecomposerError", code: "ERR_ENCODE_REFUSED" });

/** Maps come back without a prototype: `toEqual` ignores that, a test of its own does not. */
const roundTrip = (value: unknown): unknown => decode(encode(value, registry), registry);

const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(BYTES_PER_ELEMENT) as DType[])),
    fc.array(fc.nat(3), { maxLength: 3 }),
  )
  .chain(([dtype, shape]) => {
    const length = elementCount(shape) * BYTES_PER_ELEMENT[dtype];
    const most = dtype === "bool" ? 1 : 255;
    return fc
      .uint8Array({ minLength: length, maxLength: length, max: most })
      .map((data) => new Tensor(dtype, shape, Uint8Array.from(data)));
  });

const plain: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.maxSafeInteger(),
    fc.string({ unit: "binary" }),
    fc.uint8Array({ maxLength: 40 }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.date({ noInvalidDate: true }),
    fc.float32Array({ maxLength: 9 }),
    fc.bigInt64Array({ maxLength: 3 }),
    fc.oneof(fc.int8Array(), fc.uint8ClampedArray(), fc.int16Array(), fc.uint16Array(), fc.int32Array()),
    fc.oneof(fc.uint32Array(), fc.bigUint64Array(), fc.float64Array()),
    anyTensor,
    fc
      .uniqueArray(fc.tuple(fc.string({ minLength: 1 }), anyTensor), {
        maxLength: 3,
        selector: ([name]) => name,
      })
      .map((entries) => new ParameterSet(entries)),
    fc
      .record({
        site: fc.string({ maxLength: 20 }),
        phase: fc.constantFrom("train", "evaluate"),
        loss: fc.double({ noNaN: true, noDefaultInfinity: true }),
        steps: fc.nat(1_000_000),
      })
      .map((fields) => new Measurement(fields)),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(
      fc.string().filter((key) => key !== "__proto__"),
      tie("value"),
      { maxKeys: 5 },
    ),
    fc.uniqueArray(fc.string(), { maxLength: 5 }).map((members) => new Set(members)),
    fc.uniqueArray(fc.integer(), { maxLength: 5 }).map((keys) => new Map(keys.map((key) => [key, [key]]))),
  ),
})).value;

describe("round trips", () => {
  test("every value that may travel comes back, and its encoding is the only one", () => {
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = encode(value, registry);
        const back = decode(bytes, registry);

        expect(back).toEqual(value);
        expect(toHex(encode(back, registry))).toBe(toHex(bytes));
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test("plain data is encoded as the bare codec does, with sorted keys", () => {
    const value = {
      b: [1, -1, 0.5, "ä", null, true, new Uint8Array(3)],
      a: { z: 2 ** 40, y: -(2 ** 40), x: "s".repeat(40) },
    };

    expect(toHex(encode(value, registry))).toBe(toHex(bareEncode(value, { sortKeys: true })));
  });

  test("keeps -0 and NaN, which the bare codec does not keep or has in many forms", () => {
    expect(roundTrip(-0)).toBe(-0);
    expect(roundTrip(Number.NaN)).toBeNaN();
    expect(toHex(encode(Number.NaN, registry))).toBe("cb7ff8000000000000");
  });

  test("keeps a byte order mark in a long string", () => {
    const text = `\ufeff${"x".repeat(300)}`;

    expect(roundTrip(text)).toBe(text);
  });

  test.each([[-(2n ** 63n)], [2n ** 64n - 1n], [2n ** 53n], [-1n], [0n]])(
    "bigint %s comes back as bigint",
    (value) => {
      expect(roundTrip(value)).toBe(value);
    },
  );

  test("tensors and parameter sets come back with dtype, shape, bytes and order", () => {
    const parameters = new ParameterSet([
      ["fc2.weight", Tensor.f32([2, 2], Float32Array.of(1, -0, Number.NaN, 4))],
      ["fc1.bias", new Tensor("i64", [1], new Uint8Array(8).fill(3))],
      ["scalar", new Tensor("bool", [], Uint8Array.of(1))],
    ]);

    const back = roundTrip({ parameters }) as { parameters: ParameterSet };

    expect(back.parameters).toBeInstanceOf(ParameterSet);
    expect(back.parameters.names()).toEqual(["fc2.weight", "fc1.bias", "scalar"]);
    for (const [name, tensor] of parameters) {
      const other = back.parameters.get(name);
      expect(other).toMatchObject({ dtype: tensor.dtype, shape: tensor.shape });
      expect(other?.data).toEqual(tensor.data);
    }
  });

  test("a record travels by position under its id, a union by its index", () => {
    const value = new Measurement({ site: "site-1", phase: "evaluate", loss: 0.25, steps: 12 });
    const bytes = encode(value, registry);

    expect(toHex(bytes)).toBe("c7170192cd03e894a6736974652d3101cb3fd00000000000000c");
    expect(decode(bytes, registry)).toStrictEqual(value);
  });

  test("maps have no prototype and cannot pollute one", () => {
    const value = roundTrip({ constructor: 1, toString: "x" }) as object;

    expect(Object.getPrototypeOf(value)).toBeNull();
    expect({ ...value }).toEqual({ constructor: 1, toString: "x" });
  });

  test("byte strings are copies: the frame may be reused", () => {
    const bytes = encode([fromHex("0102")], registry);
    const [taken] = decode(bytes, registry) as [Bytes];
    bytes.fill(0);

    expect(toHex(taken)).toBe("0102");
  });
});

describe("what may not travel", () => {
  class Unregistered {}
  class Subclass extends Measurement {}
  const circle: unknown[] = [];
  circle.push(circle);

  test.each<[string, unknown, string]>([
    ["undefined", { a: [undefined] }, "$.a[0]: undefined"],
    ["a hole", new Array(3), "$[0]: undefined"],
    ["a function", [() => 1], "$[0]: function"],
    ["a symbol", Symbol("s"), "$: symbol"],
    ["a class that is not registered", { x: new Unregistered() }, "$.x: class Unregistered"],
    [
      "a subclass of a registered class",
      new Subclass({ site: "s", phase: "train", loss: 0, steps: 0 }),
      "class Subclass",
    ],
    ["a regular expression", /x/, "class RegExp"],
    ["a promise", Promise.resolve(), "class Promise"],
    ["an error", new Error("secret"), "class Error"],
    ["a weak map", new WeakMap(), "class WeakMap"],
    [
      "an accessor",
      {
        get a() {
          return 1;
        },
      },
      "$.a: an accessor",
    ],
    ["symbol keys", { [Symbol("s")]: 1 }, "symbol keys"],
    ["a hidden property", Object.defineProperty({}, "a", { value: 1 }), "$.a: a hidden property"],
    ["a subclass of Array", { list: new (class Listed extends Array {})() }, "$.list: class Listed"],
    ["an ArrayBuffer", [new ArrayBuffer(1)], "$[0]: class ArrayBuffer"],
    ["a DataView", [new DataView(new ArrayBuffer(1))], "$[0]: class DataView"],
    ["a boxed string", [Object("s")], "$[0]: class String"],
    ["the key __proto__", JSON.parse('{"__proto__": 1}'), "__proto__"],
    ["a lone surrogate", ["\udc00"], "lone surrogate"],
    ["a lone surrogate in a key", { "\ud800": 1 }, "lone surrogate"],
    ["a bigint of more than 64 bits", 2n ** 64n, "64 bits"],
    ["a negative bigint of more than 64 bits", -(2n ** 63n) - 1n, "64 bits"],
    ["an invalid date", new Date(Number.NaN), "$.<Date>: an invalid Date"],
    ["a circle", circle, "more than 32 levels"],
    [
      "a record whose field is out of range",
      new Measurement({ site: "s", phase: "train", loss: Number.NaN, steps: 0 }),
      "field loss",
    ],
  ])("%s is refused with path and type", (_, value, message) => {
    expect(() => encode(value, registry)).toThrow(encodeRefused);
    expect(() => encode(value, registry)).toThrow(message);
  });

  test.each<[string, unknown, string]>([
    ["a date", new Date(Number.NaN), "$.a[1].<Date>: an invalid Date"],
    ["a member of a set", new Set([Symbol("s")]), "$.a[1].<Set>[0]: symbol"],
    ["a value of a Map", new Map([["k", () => 1]]), "$.a[1].<Map>[1]: function"],
    ["a bigint", 2n ** 64n, "$.a[1].<bigint>: a bigint of more than 64 bits"],
    ["a class in a set", new Set([/x/]), "$.a[1].<Set>[0]: class RegExp"],
    [
      "a field of a record",
      new Measurement({ site: "s", phase: "train", loss: 1, steps: -0 }),
      "$.a[1].<Measurement>: field steps: expected an integer",
    ],
  ])("deep inside, %s is refused with its path and its type", (_, value, message) => {
    expect(() => encode({ a: [0, value] }, registry)).toThrow(encodeRefused);
    expect(() => encode({ a: [0, value] }, registry)).toThrow(message);
  });

  test("a registry without a type refuses it on both ways", () => {
    const bytes = encode(new Date(0), registry);

    expect(() => encode(new Date(0), createRegistry([]))).toThrow(encodeRefused);
    expect(() => decode(bytes, createRegistry([]))).toThrow("type 2 is not registered");
  });
});

describe("hostile bytes", () => {
  const nested = (levels: number): Bytes =>
    concatBytes(new Uint8Array(levels).fill(0x91), Uint8Array.of(0xc0));

  test("takes 32 levels and refuses 33, without recursing further", () => {
    expect(() => decode(nested(32), registry)).not.toThrow();
    expect(() => decode(nested(33), registry)).toThrow("more than 32 levels");
    expect(() => decode(nested(1_000_000), registry)).toThrow("more than 32 levels");
  });

  test("counts registered values as levels and values", () => {
    let bytes: Bytes = Uint8Array.of(0xc0);
    for (let level = 0; level < 40; level++) {
      const body = concatBytes(Uint8Array.of(0x92, 3, 0x91), bytes);
      bytes = concatBytes(Uint8Array.of(0xc8, body.length >> 8, body.length & 255, 1), body);
      if (body.length < 256) bytes = concatBytes(Uint8Array.of(0xc7, body.length, 1), body);
    }

    expect(() => decode(bytes, registry)).toThrow("more than 32 levels");
  });

  test("counts values, keys included", () => {
    const bytes = encode({ a: [1, 2], b: 3 }, registry);

    expect(() => decode(bytes, registry, { nodes: 7 })).not.toThrow();
    expect(() => decode(bytes, registry, { nodes: 6 })).toThrow("more than 6 values");
    expect(() => encode({ a: [1, 2], b: 3 }, registry, { nodes: 6 })).toThrow("more than 6 values");
    expect(() => decode(bytes, registry, { bytes: bytes.length - 1 })).toThrow(decodeRefused);
  });

  test("names the path, and cuts and escapes keys of the peer", () => {
    const key = `${"k".repeat(500)}\n`;
    const bytes = concatBytes(fromHex("81"), encode(key, registry), fromHex("91c1"));

    expect(() => decode(fromHex("81a16191c1"), registry)).toThrow("$.a[0] (byte 4)");
    expect(() => decode(bytes, registry)).toThrow(/^\$\["k{64}\.\.\."\]\[0\] \(byte/);
  });

  test("altered bytes raise nothing but a refusal", () => {
    const random = seededRandom("codec");
    const good = encode(
      {
        when: new Date(5),
        many: new Set(["a", 1n]),
        p: new ParameterSet([["w", Tensor.f32([2], Float32Array.of(1, 2))]]),
        r: new Measurement({ site: "s", phase: "train", loss: 1.5, steps: 3 }),
      },
      registry,
    );
    let refusals = 0;
    for (let attempt = 0; attempt < 5000; attempt++) {
      const bytes = attempt % 4 === 0 ? random.bytes(random.integer(80)) : good.slice();
      for (let change = 0; change < attempt % 4; change++)
        bytes[random.integer(bytes.length)] = random.integer(256);
      try {
        // What is taken is canonical, so it is sent again as it came.
        expect(toHex(encode(decode(bytes, registry), registry))).toBe(toHex(bytes));
      } catch (error) {
        refusals += 1;
        expect(error).toMatchObject({ name: "DecomposerError", code: "ERR_DECODE_REFUSED" });
      }
    }
    expect(refusals).toBeGreaterThan(2000);
  });
});

describe("a registry", () => {
  const aDate: Decomposer<Date> = {
    id: 2000,
    name: "Date2",
    type: Date,
    decompose: () => 0,
    compose: () => new Date(0),
  };

  test("refuses an id or class that occurs twice and ids out of range", () => {
    expect(() => createRegistry([aDate, aDate])).toThrow(RangeError);
    expect(() => builtInRegistry(aDate)).toThrow("its class is registered already");
    expect(() => createRegistry([{ ...aDate, id: 0 }])).toThrow(RangeError);
    expect(() => createRegistry([{ ...aDate, id: 65_536 }])).toThrow(RangeError);
  });

  test("is a value: making one changes no other", () => {
    builtInRegistry(measurementDecomposer);

    expect(builtInRegistry().byId(1000)).toBeUndefined();
  });

  test("an object that claims a registered constructor of its own is not of that class", () => {
    const impostor = Object.create(null, { constructor: { value: Date, enumerable: true } }) as object;

    expect(registry.of(impostor)).toBeUndefined();
  });
});
