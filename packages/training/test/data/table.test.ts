import type { Bytes } from "@photinus/core/bytes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCsv, parseJsonLines, tableDataset } from "../../src/data/index.ts";

const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes; // TextEncoder never shares memory

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: "ERR_DATA_MALFORMED", message: expect.stringMatching(message) });

describe("parseCsv", () => {
  test("reads quotes, commas and lines inside them, CRLF, and a last line without an end", () => {
    const text = '\uFEFFname,note\r\n"a, b","says ""no"""\n"two\nlines",\nlast,x';

    expect(parseCsv(utf8(text), "f")).toEqual({
      columns: ["name", "note"],
      rows: [
        ["a, b", 'says "no"'],
        ["two\nlines", ""],
        ["last", "x"],
      ],
    });
  });

  test.each([
    ["nothing", "", /it is empty/],
    ["a row of another length, by its line", 'a,b\n"1\n1",2\n3\n', /line 4 has 1 cells, its first has 2/],
    ["a quote that is not closed", 'a\n"1\n2', /line 2: a quote is not closed/],
    ["text behind a closing quote", 'a\n"1"2\n', /line 2: text behind/],
    ["a column that occurs twice", "a,a\n", /twice/],
    ["too many columns", `${"a,".repeat(5000)}\n`, /more than 4096/],
    ["a cell that is too long", `a\n${"x".repeat(70_000)}\n`, /too long/],
  ])("refuses %s", (_, text, message) => {
    expect(() => parseCsv(utf8(text), "f")).toThrow(refusal(message));
  });

  test("refuses bytes that are no UTF-8", () => {
    expect(() => parseCsv(Uint8Array.of(0x61, 0x0a, 0xff), "f")).toThrow(refusal(/UTF-8/));
  });

  test("takes as many rows as it may, empty ones too, and refuses one more", () => {
    expect(parseCsv(utf8("a\n\n\n"), "f", 2).rows).toHaveLength(2);
    expect(() => parseCsv(utf8("a\n\n\n\n"), "f", 2)).toThrow(refusal(/more than 2 rows/));
    expect(() => parseJsonLines(utf8('{"a":1}\n{"a":2}'), "f", 1)).toThrow(refusal(/more than 1 rows/));
  });

  test("refuses text that is too long before it is decoded", () => {
    const bytes = new Uint8Array(2 ** 28 + 1);

    expect(() => parseCsv(bytes, "f")).toThrow(refusal(/more than 268435456 bytes/));
    expect(() => parseJsonLines(bytes, "f")).toThrow(refusal(/more than 268435456 bytes/));
  });

  test("gives back whatever cells were written", () => {
    const cell = fc.string({ maxLength: 12 });
    const cells = fc.array(fc.tuple(cell, cell), { maxLength: 6 });
    fc.assert(
      fc.property(cells, (rows) => {
        const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const text = ["a,b", ...rows.map((row) => row.map(quoted).join(","))].join("\n");

        expect(parseCsv(utf8(text), "f").rows).toEqual(rows);
      }),
    );
  });
});

describe("parseJsonLines", () => {
  test("reads text, numbers, truth values and null, in any order, past blank lines", () => {
    const text = '{"a":1.5,"b":"x"}\n\n{"b":null,"a":true}\n';

    expect(parseJsonLines(utf8(text), "f")).toEqual({
      columns: ["a", "b"],
      rows: [
        ["1.5", "x"],
        ["true", ""],
      ],
    });
  });

  test.each([
    ["nothing", "\n", /it is empty/],
    ["what is no JSON", '{"a":1}\n{', /line 2 is not JSON/],
    ["a list", "[1]", /line 1 is no object/],
    ["another field", '{"a":1}\n{"b":1}', /line 2 has other fields/],
    ["a field too few", '{"a":1,"b":2}\n{"a":1}', /line 2 has other fields/],
    ["something nested", '{"a":{"b":1}}', /a is neither text nor a number/],
  ])("refuses %s", (_, text, message) => {
    expect(() => parseJsonLines(utf8(text), "f")).toThrow(refusal(message));
  });

  test("passes over millions of blank lines without a list of them", () => {
    const text = `${"\n".repeat(2 ** 22)}{"a":1}\n${"\n".repeat(2 ** 22)}{"b":1}`;

    expect(() => parseJsonLines(utf8(text), "f")).toThrow(refusal(/line 8388610 has other fields/));
  });

  test("a field named like something of every object is a field", () => {
    const text = '{"__proto__":"1","constructor":"2"}';

    expect(parseJsonLines(utf8(text), "f").rows).toEqual([["1", "2"]]);
  });
});

describe("tableDataset", () => {
  const table = parseCsv(utf8("size,kind,answer\n1,b,yes\n,a,no\n"), "f");
  const kind = { column: "kind", values: ["a", "b", "c"] };
  const answer = { column: "answer", values: ["no", "yes"] };
  const size = { column: "size", mean: 1, deviation: 2, missing: 9 };

  test("normalizes, fills in, and writes words as ones and zeros; the label is a class", () => {
    const dataset = tableDataset(table, {
      ...{ name: "t", label: answer },
      features: [
        { input: "numbers", columns: [size] },
        { input: "words", columns: [kind] },
      ],
    });
    const into = { features: [new Float32Array(2), new Float32Array(6)], labels: new Int32Array(2) };
    dataset.read(Uint32Array.of(0, 1), into);

    expect(dataset.labelling).toEqual({ kind: "classes", classCount: 2, shape: [] });
    expect([...into.features[0]!]).toEqual([0, 4]);
    expect([...into.features[1]!]).toEqual([0, 1, 0, 1, 0, 0]);
    expect([...into.labels]).toEqual([1, 0]);
  });

  test("refuses rows that would become more numbers than memory holds, before it takes any", () => {
    const values = Array.from({ length: 512 }, (_, index) => `v${index}`);
    const rows = new Array<readonly string[]>(2 ** 20); // never looked at
    const label = { column: "label" };
    const features = [{ input: "x", columns: [{ column: "word", values }] }];

    expect(() => tableDataset({ columns: ["word"], rows }, { name: "t", label, features })).toThrow(
      refusal(/become 536870912 numbers, at most 268435456/),
    );
  });

  test.each([
    ["an empty cell", { column: "size" }, /size of row 2 is empty/],
    ["a word for a number", { column: "kind" }, /kind of row 1 is no number/],
    ["a value that is not given", { column: "kind", values: ["a"] }, /kind of row 1 is none of its values/],
    ["a column that is not there", { column: "colour" }, /there is no column colour/],
  ])("refuses %s", (_, column, message) => {
    const options = { name: "t", features: [{ input: "x", columns: [column] }], label: answer };

    expect(() => tableDataset(table, options)).toThrow(refusal(message));
  });
});
