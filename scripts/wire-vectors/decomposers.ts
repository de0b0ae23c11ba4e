import { toHex } from "../../packages/core/src/bytes/index.ts";
import { builtInDecomposers, builtInRegistry, encode } from "../../packages/core/src/decomposer/index.ts";
import {
  fromNotation,
  measurementDecomposer,
  type Notation,
} from "../../packages/core/test/decomposer/notation.ts";

type Named = readonly [name: string, value: Notation];

const int = (value: number): Notation => ({ int: String(value) });
const text = (value: string): Notation => ({ string: value });
const bytes = (length: number): Notation => ({ bytes: "ab".repeat(length) });
const tensor = (dtype: string, shape: readonly number[], data: string): Notation => ({
  Tensor: { dtype, shape, data },
});

const SCALARS: readonly Named[] = [
  ["null", { null: null }],
  ["false", { boolean: false }],
  ["true", { boolean: true }],
  ...[0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER].map(
    (value): Named => [`the integer ${value}`, int(value)],
  ),
  ...[-1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1, Number.MIN_SAFE_INTEGER].map(
    (value): Named => [`the integer ${value}`, int(value)],
  ),
  ["one half", { float: "3fe0000000000000" }],
  ["minus one tenth", { float: "bfb999999999999a" }],
  ["minus zero", { float: "8000000000000000" }],
  ["two to the 53rd as a number", { float: "4340000000000000" }],
  ["the smallest number above zero", { float: "0000000000000001" }],
  ["infinity", { float: "7ff0000000000000" }],
  ["minus infinity", { float: "fff0000000000000" }],
  ["the one form of NaN", { float: "7ff8000000000000" }],
  ["the empty string", text("")],
  ["a string of 31 bytes", text("a".repeat(31))],
  ["a string of 32 bytes", text("a".repeat(32))],
  ["a string of 255 bytes", text("a".repeat(255))],
  ["a string of 256 bytes", text("a".repeat(256))],
  ["letters beyond ASCII", text("Leuchtkäfer ✨")],
  ["a byte order mark and a character beyond 16 bits", text("\ufeff𝛟")],
  ["a control character", text("\u0000")],
  ["no bytes", bytes(0)],
  ["three bytes", bytes(3)],
  ["255 bytes", bytes(255)],
  ["256 bytes", bytes(256)],
];

const CONTAINERS: readonly Named[] = [
  ["the empty array", { array: [] }],
  ["15 values", { array: Array.from({ length: 15 }, (_, index) => int(index)) }],
  ["16 values", { array: Array.from({ length: 16 }, (_, index) => int(index)) }],
  ["arrays in arrays", { array: [{ array: [{ array: [] }] }, text("x")] }],
  ["the empty map", { map: [] }],
  [
    "keys in the order of UTF-16 code units",
    {
      map: ["", "10", "9", "Z", "a", "aa", "b", "é", "𝛟", "\uff5e"].map((key, index) => [key, int(index)]),
    },
  ],
  ["16 keys", { map: Array.from({ length: 16 }, (_, index) => [`k${index + 10}`, { null: null }]) }],
  [
    "keys that objects inherit",
    {
      map: [
        ["constructor", int(1)],
        ["toString", int(2)],
      ],
    },
  ],
];

const REGISTERED: readonly Named[] = [
  ...[
    "0",
    "-1",
    "9007199254740992",
    "9223372036854775807",
    "18446744073709551615",
    "-9223372036854775808",
  ].map((value): Named => [`the bigint ${value}`, { bigint: value }]),
  ["the date of 1970", { Date: 0 }],
  ["a date of 2026", { Date: 1_767_225_600_123 }],
  ["the first date", { Date: -8_640_000_000_000_000 }],
  ["the empty set", { Set: [] }],
  ["a set in its order", { Set: [text("b"), text("a"), int(1), { boolean: true }] }],
  ["the empty Map", { Map: [] }],
  [
    "a Map in its order, with keys of two types",
    {
      Map: [
        [int(2), text("two")],
        [text("__proto__"), { map: [["a", { array: [] }]] }],
      ],
    },
  ],
  ["Int8Array", { Int8Array: "80ff007f" }],
  ["Uint8ClampedArray", { Uint8ClampedArray: "00ff" }],
  ["Int16Array, little endian", { Int16Array: "0080ff7f" }],
  ["Uint16Array", { Uint16Array: "0100ffff" }],
  ["Int32Array", { Int32Array: "00000080ffffff7f" }],
  ["Uint32Array", { Uint32Array: "01000000ffffffff" }],
  ["BigInt64Array", { BigInt64Array: "0000000000000080" }],
  ["BigUint64Array", { BigUint64Array: "ffffffffffffffff" }],
  ["Float32Array", { Float32Array: "0000803f000000800000807f" }],
  ["Float64Array", { Float64Array: "000000000000f03f" }],
  ["the empty Float32Array", { Float32Array: "" }],
];

const ONE_ELEMENT: Readonly<Record<string, string>> = {
  f32: "0000803f",
  f16: "003c",
  bf16: "803f",
  f64: "000000000000f03f",
  i8: "ff",
  u8: "ff",
  i16: "ffff",
  i32: "ffffffff",
  u32: "ffffffff",
  i64: "ffffffffffffffff",
  u64: "ffffffffffffffff",
  bool: "01",
};

const TENSORS: readonly Named[] = [
  ...Object.entries(ONE_ELEMENT).map(
    ([dtype, one]): Named => [`two elements of ${dtype}`, tensor(dtype, [2, 1], one + one)],
  ),
  ["a scalar", tensor("f32", [], "00000040")],
  ["a tensor without elements", tensor("bf16", [0, 5], "")],
  ["a tensor of eight dimensions", tensor("u8", [1, 1, 1, 1, 1, 1, 1, 2], "0102")],
  ["the empty ParameterSet", { ParameterSet: [] }],
  [
    "a ParameterSet in its order",
    {
      ParameterSet: [
        ["fc2.weight", tensor("f32", [1, 2], "0000803f00000040")],
        ["fc1.bias", tensor("i64", [], "0300000000000000")],
      ],
    },
  ],
  [
    "a record of type 1000: site string, phase the index in [train, evaluate], loss number, steps integer",
    { Measurement: { site: "site-1", phase: "evaluate", loss: 0.25, steps: 12 } },
  ],
];

/** The extension of a registered type around a body that `encode` would not write. */
function extension(body: string): string {
  const length = body.length / 2;
  const fixed = [1, 2, 4, 8, 16].indexOf(length);
  const head = fixed >= 0 ? (0xd4 + fixed).toString(16) : `c7${length.toString(16).padStart(2, "0")}`;
  return `${head}01${body}`;
}

const F32 = "a3663332"; // the dtype as it travels
const SCALAR = extension(`920593${F32}90c40400000000`);

const REFUSED: readonly (readonly [name: string, hex: string])[] = [
  ["nothing", ""],
  ["a value cut short", "92c0"],
  ["a second value", "c0c0"],
  ["an array that declares more than there is", "ddffffffff"],
  ["a map that declares more than there is", "dfffffffff"],
  ["a string that declares more than there is", "dbffffffff"],
  ["bytes that declare more than there is", "c6ffffffff"],
  ["an extension that declares more than there is", "c9ffffffff01"],
  ["a longer form of a small integer", "cc01"],
  ["a longer form of a negative integer", "d0ff"],
  ["a signed form of an integer above zero", "d001"],
  ["a longer form of an integer of 32 bits", "cf00000000ffffffff"],
  ["a longer form of a negative integer of 32 bits", "d3ffffffff80000000"],
  ["a longer form of the length of a string", "d90161"],
  ["a longer form of the length of bytes", "c5000161"],
  ["a longer form of the length of an array", "dc000101"],
  ["a longer form of the length of a map", "de0001a16101"],
  ["a longer form of an extension", "c70101c0"],
  ["float32", "ca3f000000"],
  ["a safe integer as float64", "cb3ff0000000000000"],
  ["a NaN with a payload", "cb7ff8000000000001"],
  ["a negative NaN", "cbfff8000000000000"],
  ["an integer above the safe range", "cf0020000000000000"],
  ["an integer below the safe range", "d3ffe0000000000000"],
  ["the byte that never begins a value", "c1"],
  ["a string that is not UTF-8", "a2fffe"],
  ["an overlong form of UTF-8", "a2c080"],
  ["a surrogate in UTF-8", "a3eda080"],
  ["a character beyond Unicode", "a4f4908080"],
  ["a key that occurs twice", "82a16101a16102"],
  ["keys out of order", "82a16201a16102"],
  ["keys in the order of UTF-8 where that of UTF-16 differs", "82a3efbd9e01a4f09d9b9f02"],
  ["a key that is no string", "810102"],
  ["a key of bytes", "81c4016102"],
  ["the key __proto__", "81a95f5f70726f746f5f5f80"],
  ["a timestamp of MessagePack", "d6ff00000000"],
  ["an extension of another code", "d40290"],
  ["an extension that holds no array", extension("c0")],
  ["a registered value of one part", extension("9102")],
  ["a registered value of three parts", extension("93020000")],
  ["a type that is not registered", extension("92cdffffc0")],
  ["type 0", extension("9200c0")],
  ["a type id that is no integer", extension("92a178c0")],
  ["bytes after a registered value", extension("920200c0")],
  ["a date that is no number", extension("9202a178")],
  ["a date of -0", extension("9202cb8000000000000000")],
  ["a date outside the range of dates", extension("9202cf001eb208c2dc0001")],
  ["a date of one half", extension("9202cb3fe0000000000000")],
  ["a set with a member twice", extension("9203920101")],
  ["a set with -0", extension("920391cb8000000000000000")],
  ["a Map with a key without its value", extension("92049101")],
  ["a Map with a key twice", extension("92049401020103")],
  ["a bigint that is a string", extension("9201a178")],
  ["a bigint that is a fraction", extension("9201cb3fe0000000000000")],
  ["a Float32Array of three bytes", extension("9211c403010203")],
  ["a tensor whose bytes do not fit its shape", extension(`920593${F32}9102c40100`)],
  ["a tensor of an unknown dtype", extension("920593a1789101c40100")],
  ["a bool that is 2", extension("920593a4626f6f6c90c40102")],
  ["a dimension below zero", extension(`920593${F32}91ffc400`)],
  ["a dimension of -0", extension(`920593${F32}91cb8000000000000000c400`)],
  ["a tensor of nine dimensions", extension(`920593${F32}99000000000000000000c400`)],
  ["a ParameterSet with a number", extension("920692a17801")],
  ["a ParameterSet with a name twice", extension(`920694a161${SCALAR}a161${SCALAR}`)],
  ["a record with too few fields", extension("92cd03e89101")],
  ["33 levels", `${"91".repeat(33)}c0`],
];

/** The decomposers' vectors (docs/WIRE-PROTOCOL.md, "Bodies"). */
export function decomposerVectors(): object {
  const registry = builtInRegistry(measurementDecomposer);
  const vectors = [...SCALARS, ...CONTAINERS, ...REGISTERED, ...TENSORS].map(([name, value]) => ({
    name,
    value,
    bytes: toHex(encode(fromNotation(value), registry)),
  }));
  return {
    about:
      "Each value has these bytes and no others. value: one key, the type; int and bigint decimal, float the hexadecimal of its 8 bytes, bytes and typed arrays hexadecimal as they travel, Date ms. Each of refused is DECODE_REFUSED (4019).",
    extensionCode: 1,
    types: Object.fromEntries(
      [...builtInDecomposers(), measurementDecomposer].map(({ name, id }) => [name, id]),
    ),
    vectors,
    refused: REFUSED.map(([name, hex]) => ({ name, bytes: hex })),
  };
}
