import { utf8 } from "@photinus/core/bytes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textDataset } from "../../src/data/index.ts";

describe("a text as a data set", () => {
  test("says of each byte the next one, in the type that the model takes", () => {
    const text = utf8("añb");
    const dataset = textDataset(text, { name: "t", length: 3, input: "tokens" });
    const into = { features: [new BigInt64Array(3)], labels: new Int32Array(3) };

    dataset.read(Uint32Array.of(0), into);

    expect(dataset).toMatchObject({
      count: 1,
      features: [{ name: "tokens", dtype: "i64", shape: [3] }],
      labelling: { kind: "classes", classCount: 256, shape: [3] },
    });
    expect([...into.features[0]!].map(Number)).toEqual([0x61, 0xc3, 0xb1]);
    expect([...into.labels]).toEqual([0xc3, 0xb1, 0x62]);
  });

  test("holds every whole example of any text, and no byte from beyond its end", () => {
    const sizes = fc.record({
      text: fc.uint8Array({ minLength: 2, maxLength: 60 }),
      length: fc.integer({ min: 1, max: 20 }),
      stride: fc.integer({ min: 1, max: 25 }),
    });
    fc.assert(
      fc.property(sizes, ({ text, length, stride }) => {
        fc.pre(text.length > length);
        const { count, read } = textDataset(new Uint8Array(text), {
          name: "t",
          length,
          stride,
          dtype: "i32",
        });
        const into = { features: [new Int32Array(count * length)], labels: new Int32Array(count * length) };

        read(
          Uint32Array.from({ length: count }, (_, index) => index),
          into,
        );

        const starts = Array.from({ length: text.length }, (_, start) => start);
        const whole = starts.filter((start) => start % stride === 0 && start + length < text.length);
        expect([...into.features[0]!]).toEqual(
          whole.flatMap((start) => [...text.slice(start, start + length)]),
        );
        expect([...into.labels]).toEqual(
          whole.flatMap((start) => [...text.slice(start + 1, start + length + 1)]),
        );
      }),
    );
  });

  test("is refused when it is no longer than an example, and so is a size that is none", () => {
    expect(() => textDataset(utf8("abc"), { name: "t", length: 3 })).toThrow(
      expect.objectContaining({ code: "ERR_DATA_MALFORMED", message: "t: 3 tokens, an example needs 4" }),
    );
    for (const sizes of [{ length: 0 }, { length: 1.5 }, { length: 70_000 }, { length: 1, stride: 0 }]) {
      expect(() => textDataset(utf8("abc"), { name: "t", ...sizes })).toThrow(RangeError);
    }
  });
});
