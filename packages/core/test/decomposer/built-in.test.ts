import type { Bytes } from "@photinus/core/bytes";
import {
  booleanField,
  builtInDecomposers,
  bytesField,
  type Decomposer,
  finiteField,
  listField,
  optionalField,
  recordDecomposer,
  textField,
  unionField,
} from "@photinus/core/decomposer";
import { BYTES_PER_ELEMENT, type DType, ParameterSet, Tensor } from "@photinus/core/tensor";
import { decomposerContract } from "@photinus/core/testing/contracts";
import { describe, expect, test } from "vitest";

const built = new Map(builtInDecomposers().map((decomposer) => [decomposer.name, decomposer]));

function named<T>(name: string): Decomposer<T> {
  const decomposer = built.get(name);
  if (decomposer === undefined) throw new Error(`no decomposer ${name}`);
  return decomposer as Decomposer<T>;
}

const tensorDecomposer = named<Tensor>("Tensor");

decomposerContract(named<bigint>("bigint"), {
  values: [0n, -1n, 2n ** 53n, -(2n ** 63n), 2n ** 64n - 1n],
  refused: [2n ** 64n, -(2n ** 63n) - 1n],
  badFields: [null, "1", 0.5, -0, [1], new Uint8Array(8)],
});

decomposerContract(named<Date>("Date"), {
  values: [new Date(0), new Date(-8.64e15), new Date(8.64e15), new Date(1_767_225_600_123)],
  refused: [new Date(Number.NaN)],
  badFields: [null, "2026", 0.5, -0, 8.64e15 + 1, Number.POSITIVE_INFINITY],
});

decomposerContract(named<Set<unknown>>("Set"), {
  values: [new Set(), new Set(["b", "a", 1, null, true])],
  refused: [new Set([undefined])],
  badFields: [null, {}, ["a", "a"], [0.5, 0.5], [-0]],
});

decomposerContract(named<Map<unknown, unknown>>("Map"), {
  values: [
    new Map(),
    new Map<unknown, unknown>([
      [1, "one"],
      ["__proto__", { a: [] }],
      [null, 2],
    ]),
  ],
  refused: [new Map([["f", () => undefined]])],
  badFields: [null, {}, ["key"], ["a", 1, "a", 2], [-0, 1]],
});

decomposerContract(tensorDecomposer, {
  values: [
    Tensor.f32([2, 3], new Float32Array(6).fill(-0)),
    new Tensor("i64", [], new Uint8Array(8)),
    new Tensor("bool", [4], Uint8Array.of(0, 1, 1, 0)),
    new Tensor("bf16", [0, 5], new Uint8Array(0)),
    ...Object.entries(BYTES_PER_ELEMENT).map(
      ([dtype, bytes]) => new Tensor(dtype as DType, [3], new Uint8Array(3 * bytes).fill(1)),
    ),
  ],
  refused: [],
  badFields: [
    null,
    ["f32", [1]],
    ["f32", [1], new Uint8Array(3)],
    ["f33", [1], new Uint8Array(4)],
    ["f32", [-1], new Uint8Array(0)],
    ["f32", [-0], new Uint8Array(0)],
    ["f32", [0.5], new Uint8Array(2)],
    ["f32", ["1"], new Uint8Array(4)],
    ["f32", Array(9).fill(1), new Uint8Array(4)],
    ["f32", [2 ** 40, 2 ** 40], new Uint8Array(0)],
    ["f32", [1], [0, 0, 0, 0]],
    ["bool", [1], Uint8Array.of(2)],
  ],
});

decomposerContract(named<ParameterSet>("ParameterSet"), {
  values: [
    new ParameterSet([]),
    new ParameterSet([
      ["z", Tensor.f32([1], Float32Array.of(1))],
      ["a", Tensor.f32([], Float32Array.of(2))],
    ]),
  ],
  refused: [],
  badFields: [null, ["a"], ["a", 1], [1, 2], ["", Tensor.f32([], new Float32Array(1))]],
  others: [tensorDecomposer],
});

decomposerContract(named<Float32Array>("Float32Array"), {
  values: [new Float32Array(0), Float32Array.of(1.5, -0, Number.POSITIVE_INFINITY)],
  refused: [],
  badFields: [null, [1], new Uint8Array(3), "1234"],
});

describe.each([
  [Int8Array],
  [Uint8ClampedArray],
  [Int16Array],
  [Uint16Array],
  [Int32Array],
  [Uint32Array],
  [Float64Array],
])("%o", (type) => {
  const size = type.BYTES_PER_ELEMENT;
  decomposerContract(named<InstanceType<typeof type>>(type.name), {
    values: [new type(0), new type([1, 2, 127])],
    refused: [],
    badFields: [null, [1], "1", ...(size === 1 ? [] : [new Uint8Array(size + 1)])],
  });
});

decomposerContract(named<BigInt64Array>("BigInt64Array"), {
  values: [BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
  refused: [],
  badFields: [null, new Uint8Array(7)],
});

decomposerContract(named<BigUint64Array>("BigUint64Array"), {
  values: [BigUint64Array.of(2n ** 64n - 1n, 0n)],
  refused: [],
  badFields: [new Uint8Array(7)],
});

class Reading {
  readonly unit: "celsius" | "kelvin";
  readonly value: number;
  readonly place: string;

  constructor(fields: Pick<Reading, "unit" | "value" | "place">) {
    this.unit = fields.unit;
    this.value = fields.value;
    this.place = fields.place;
  }
}

decomposerContract(
  recordDecomposer({
    id: 1001,
    name: "Reading",
    type: Reading,
    fields: { unit: unionField(["celsius", "kelvin"]), value: finiteField(), place: textField(5) },
    create: (fields) => new Reading(fields),
  }),
  {
    values: [new Reading({ unit: "kelvin", value: 0, place: "" })],
    refused: [
      new Reading({ unit: "kelvin", value: Number.NaN, place: "" }),
      new Reading({ unit: "kelvin", value: 0, place: "too long" }),
      new Reading({ unit: "fahrenheit" as "kelvin", value: 0, place: "" }),
    ],
    badFields: [
      null,
      [0, 1],
      [0, 1, "", 1],
      [2, 1, ""],
      [0.5, 1, ""],
      ["kelvin", 1, ""],
      [0, "1", ""],
      [0, 1, "123456"],
      [-0, 1, ""],
    ],
  },
);

class Report {
  readonly isFinal: boolean;
  readonly digest: Bytes;
  readonly losses: readonly number[];
  readonly remark: string | undefined;

  constructor(fields: Pick<Report, "isFinal" | "digest" | "losses" | "remark">) {
    this.isFinal = fields.isFinal;
    this.digest = fields.digest;
    this.losses = fields.losses;
    this.remark = fields.remark;
  }
}

const aReport = (fields: Partial<Report> = {}): Report =>
  new Report({ isFinal: false, digest: new Uint8Array(2), losses: [], remark: undefined, ...fields });

decomposerContract(
  recordDecomposer({
    id: 1002,
    name: "Report",
    type: Report,
    fields: {
      isFinal: booleanField(),
      digest: bytesField(2),
      losses: listField(finiteField(), 2),
      remark: optionalField(textField(5)),
    },
    create: (fields) => new Report(fields),
  }),
  {
    values: [aReport(), aReport({ isFinal: true, losses: [0.5, 1], remark: "fine" })],
    refused: [
      aReport({ digest: new Uint8Array(3) }),
      aReport({ losses: [1, 2, 3] }),
      aReport({ losses: [Number.NaN] }),
      aReport({ remark: "too long" }),
    ],
    badFields: [
      [1, new Uint8Array(2), [], null],
      [true, [0, 0], [], null],
      [true, new Uint8Array(3), [], null],
      [true, new Uint8Array(2), [1, 2, 3], null],
      [true, new Uint8Array(2), ["1"], null],
      [true, new Uint8Array(2), {}, null],
      [true, new Uint8Array(2), [], 5],
    ],
  },
);

test("ids of built-in types stay as they are", () => {
  expect(Object.fromEntries(builtInDecomposers().map(({ name, id }) => [name, id]))).toEqual({
    bigint: 1,
    Date: 2,
    Set: 3,
    Map: 4,
    Tensor: 5,
    ParameterSet: 6,
    Int8Array: 10,
    Int16Array: 11,
    Uint16Array: 12,
    Int32Array: 13,
    Uint32Array: 14,
    BigInt64Array: 15,
    BigUint64Array: 16,
    Float32Array: 17,
    Float64Array: 18,
    Uint8ClampedArray: 19,
  });
});
