import { type Bytes, concatBytes, utf8 } from "@photinus/core/bytes";
import { describe, expect, test } from "vitest";
import {
  bpeTokenizer,
  memorySource,
  openNpy,
  rowDataset,
  textDataset,
  tokenDataset,
} from "../../src/data/index.ts";

const malformedBy = (message: RegExp): object =>
  expect.objectContaining({ code: "ERR_DATA_MALFORMED", message: expect.stringMatching(message) });

/** Letters of bytes as GPT-2's files have them, written independently: printing ones first, then the rest from U+0100 on. */
function letters(): string[] {
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const printing = all.filter((byte) => /[!-~¡-¬®-ÿ]/.test(String.fromCharCode(byte)));
  const rest = all.filter((byte) => !printing.includes(byte));
  const found = new Map([
    ...printing.map((byte) => [byte, byte] as const),
    ...rest.map((byte, at) => [byte, 256 + at] as const),
  ]);
  return all.map((byte) => String.fromCharCode(found.get(byte)!));
}

/** A tokenizer of all bytes and what `merges` make of them. */
function tokenizerOf(merges: readonly string[]) {
  const tokens = [...letters(), ...merges.map((pair) => pair.replace(" ", ""))];
  const vocabulary = utf8(JSON.stringify(Object.fromEntries(tokens.map((token, id) => [token, id]))));
  return bpeTokenizer({ vocabulary, merges: utf8(`#version: 0.2\n${merges.join("\n")}\n`) });
}

describe("bpeTokenizer", () => {
  const merges = ["l o", "lo w", "e r", "Ġ low", "Ġlow er"];

  test("merges the most frequent pair first, and never across words", () => {
    const tokenizer = tokenizerOf(merges);

    // "low", " lower", then " ", "lo", "er": nothing joins a space and "lo".
    expect([...tokenizer.encode(utf8("low lower loer"), "t")]).toEqual([257, 260, 32, 256, 258]);
    expect(tokenizer.tokenCount).toBe(261);
  });

  test("has tokens for every byte of every language", () => {
    const text = utf8("naïve 光 \u0000\n\t 🙂");
    const spelled = [...tokenizerOf([]).encode(text, "t")];

    expect(spelled).toEqual([...text]);
  });

  test("takes its time in proportion to a text without spaces", () => {
    expect(tokenizerOf(["a a", "aa aa"]).encode(utf8("a".repeat(100_000)), "t").length).toBe(25_000);
  });

  test.each([
    ["no JSON", utf8("{"), utf8(""), /not JSON/],
    ["a list", utf8("[]"), utf8(""), /no object/],
    ["an id that is none", utf8('{"a":-1}'), utf8(""), /an id is not below/],
    ["fewer tokens than bytes", utf8('{"a":0}'), utf8(""), /a byte has no token/],
    ["a merge of one token", utf8("{}"), utf8("a\n"), /not two tokens/],
    ["bytes that are no text", utf8("{}"), Uint8Array.of(255), /not UTF-8/],
  ])("refuses %s", (_, vocabulary, merged, message) => {
    expect(() => bpeTokenizer({ vocabulary, merges: merged })).toThrow(malformedBy(message));
  });

  test("refuses a merge into what has no id", () => {
    const vocabulary = utf8(JSON.stringify(Object.fromEntries(letters().map((letter, id) => [letter, id]))));

    expect(() => bpeTokenizer({ vocabulary, merges: utf8("a b") }).encode(utf8("ab"), "t")).toThrow(
      malformedBy(/no id/),
    );
  });

  test("makes examples of the next token", () => {
    const { encode, tokenCount } = tokenizerOf(merges);
    const dataset = tokenDataset(
      { tokens: encode(utf8("low lower low"), "t"), tokenCount },
      { name: "t", length: 2 },
    );
    const into = { features: [new BigInt64Array(2)], labels: new Int32Array(2) };
    dataset.read(Uint32Array.of(0), into);

    expect(dataset).toMatchObject({ count: 1, labelling: { classCount: 261, shape: [2] } });
    expect([[...into.features[0]!], [...into.labels]]).toEqual([
      [257n, 260n],
      [260, 259],
    ]);
  });
});

function npy(descr: string, shape: string, data: ArrayBufferView): Bytes {
  const header = utf8(`{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }\n`);
  const start = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0);
  return concatBytes(start, header, new Uint8Array(data.buffer.slice(0)) as Bytes);
}

describe("a data set that is read row by row", () => {
  const open = (bytes: Bytes) => openNpy(memorySource(bytes), "f");
  const features = (values: Float32Array) =>
    new Map([["x", open(npy("<f4", `(${values.length / 2}, 2)`, values))]]);
  const into = () => ({ features: [new Float32Array(4)], labels: new Int32Array(2) });

  test("reads the rows of a batch and no others", () => {
    const bytes = npy("<f8", "(3, 2)", Float64Array.of(1, 2, 3, 4, 5, 6));
    const reads: number[] = [];
    const source = memorySource(bytes);
    const counted = {
      ...source,
      read: (at: number, to: Bytes) => {
        reads.push(to.length);
        source.read(at, to);
      },
    };
    const rows = openNpy(counted, "f");
    const labels = open(npy("<i8", "(3,)", BigInt64Array.of(0n, 1n, 2n)));
    const dataset = rowDataset({ name: "d", features: new Map([["x", rows]]), labels, classCount: 3 });
    reads.length = 0;
    const batch = into();

    dataset.read(Uint32Array.of(2, 0), batch);

    expect([...batch.features[0]!, ...batch.labels]).toEqual([5, 6, 1, 2, 2, 0]);
    expect(reads).toEqual([16, 16]);
  });

  test.each([
    ["arrays of other lengths", Float32Array.of(1, 2), Int32Array.of(0, 1), {}, /1 examples of x, 2 labels/],
    [
      "a number that is not finite",
      Float32Array.of(1, 2, 3, Number.NaN),
      Int32Array.of(0, 1),
      {},
      /x of example 1: a number is NaN/,
    ],
    [
      "a label that is no class",
      Float32Array.of(1, 2, 3, 4),
      Int32Array.of(0, 7),
      {},
      /label of example 1 is 7, expected a class from 0 to 1/,
    ],
  ])("refuses %s", (_, values, classes, change, message) => {
    const labels = open(npy("<i4", `(${classes.length},)`, classes));

    expect(() =>
      rowDataset({ name: "d", features: features(values), labels, classCount: 2, ...change }).read(
        Uint32Array.of(0, 1),
        into(),
      ),
    ).toThrow(malformedBy(message));
  });

  test("lets NaN stand where it says that numbers are missing, and ignored labels be", () => {
    const labels = open(npy("<i4", "(2,)", Int32Array.of(-100, 1)));
    const options = { name: "d", labels, classCount: 2, ignoredLabel: -100, mayMiss: ["x"] };
    const dataset = rowDataset({ ...options, features: features(Float32Array.of(1, Number.NaN, 3, 4)) });
    const batch = into();
    dataset.read(Uint32Array.of(0, 1), batch);

    expect(dataset.features).toEqual([{ name: "x", dtype: "f32", shape: [2], mayMiss: true }]);
    expect([...batch.features[0]!, ...batch.labels]).toEqual([1, Number.NaN, 3, 4, -100, 1]);
  });

  test("is a text, too", () => {
    const source = memorySource(utf8("photinus"));
    const dataset = textDataset(
      { byteLength: source.byteLength, read: source.read },
      { name: "t", length: 4, dtype: "i32" },
    );
    const batch = { features: [new Int32Array(4)], labels: new Int32Array(4) };
    dataset.read(Uint32Array.of(0), batch);

    expect([String.fromCharCode(...batch.features[0]!), String.fromCharCode(...batch.labels)]).toEqual([
      "phot",
      "hoti",
    ]);
  });
});
