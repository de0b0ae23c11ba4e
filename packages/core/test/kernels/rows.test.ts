import { toHex } from "@photinus/core/bytes";
import { javascriptKernels, type Kernels, type OrderRange, wasmKernels } from "@photinus/core/kernels";
import { seededRandom } from "@photinus/core/testing";
import { describe, expect, test } from "vitest";

const IMPLEMENTATIONS: readonly (readonly [string, () => Kernels])[] = [
  ["wasm", wasmKernels],
  ["javascript", javascriptKernels],
];

/** Small whole numbers: every sum and product of them is exact, in any order. */
function wholeNumbers(seed: string, count: number, length: number): readonly Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length }, () => random.integer(41) - 20));
}

function filled(kernels: Kernels, values: readonly Float32Array[]): ReturnType<Kernels["rows"]> {
  const rows = kernels.rows(values.length, values[0]?.length ?? 1);
  for (const [row, each] of values.entries()) rows.write(row, each);
  return rows;
}

const at = (values: ArrayLike<number> | undefined, index: number): number => values?.[index] ?? Number.NaN;

const bits = (values: Float32Array | Float64Array): string =>
  toHex(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));

describe.each(IMPLEMENTATIONS)("rows in %s", (_, create) => {
  test.each([
    [1, 1],
    [2, 3],
    [3, 4],
    [5, 7],
    [8, 64],
    [13, 33],
    [64, 9],
    [65, 9],
    [130, 5],
  ])(
    "%i rows of %i: the mean of every pair of order statistics is that of sorted columns",
    (count, length) => {
      const values = wholeNumbers(`order-${count}`, count, length);
      const ranges: OrderRange[] = [
        { from: 0, to: count },
        { from: count >> 1, to: (count >> 1) + 1 },
        { from: 0, to: 1 },
        { from: count - 1, to: count },
        { from: Math.floor(count / 4), to: count - Math.floor(count / 4) },
      ];
      for (const range of ranges) {
        const target = new Float32Array(length);
        filled(create(), values).orderStatisticMean(range, 0, target);

        const expected = Float32Array.from({ length }, (_, column) => {
          const sorted = values.map((row) => at(row, column)).sort((left, right) => left - right);
          const chosen = sorted.slice(range.from, range.to);
          return chosen.reduce((sum, value) => sum + value, 0) / chosen.length;
        });
        expect([...target]).toEqual([...expected]);
      }
    },
  );

  test("order statistics of some columns are theirs, at any start and length", () => {
    const values = wholeNumbers("columns", 5, 40);
    for (const [start, length] of [
      [0, 1],
      [1, 2],
      [3, 5],
      [36, 4],
      [39, 1],
    ] as const) {
      const target = new Float32Array(length);
      filled(create(), values).orderStatisticMean({ from: 2, to: 3 }, start, target);

      const expected = Array.from({ length }, (_, index) => {
        return at(
          values.map((row) => at(row, start + index)).sort((left, right) => left - right),
          2,
        );
      });
      expect([...target]).toEqual(expected);
    }
  });

  test.each([
    [1, 5],
    [3, 1024],
    [4, 1025],
    [9, 2500],
  ])("%i rows of %i: inner products of all pairs, added to what is there", (count, length) => {
    const values = wholeNumbers(`gram-${count}`, count, length);
    const rows = filled(create(), values);
    const gram = new Float64Array(count * count).fill(1);
    for (let first = 0; first < count; first += 4) rows.addProducts(first, gram);

    for (let k = 0; k < count; k++) {
      for (let j = 0; j <= k; j++) {
        const expected = Array.from({ length }, (_, index) => at(values[k], index) * at(values[j], index));
        expect(gram[k * count + j]).toBe(1 + expected.reduce((sum, value) => sum + value, 0));
      }
    }
  });

  test("combines and subtracts, and a shorter write fills the row with zeros", () => {
    const values = wholeNumbers("combine", 3, 6);
    const rows = filled(create(), values);
    rows.write(1, Float32Array.of(7));
    rows.subtract(new Float32Array(6).fill(2));

    const target = new Float32Array(6);
    rows.combine(Float32Array.of(1, 0.5, 0), target);

    const expected = Array.from({ length: 6 }, (_, index) => {
      return at(values[0], index) - 2 + 0.5 * ((index === 0 ? 7 : 0) - 2);
    });
    expect([...target]).toEqual(expected);
  });

  test("refuses what is no row, no column, no order, and what was released", () => {
    const kernels = create();
    expect(() => kernels.rows(0, 4)).toThrow(RangeError);
    expect(() => kernels.rows(2, 16_385)).toThrow(RangeError);
    const rows = kernels.rows(2, 4);
    const target = new Float32Array(4);

    expect(() => rows.write(2, target)).toThrow(RangeError);
    expect(() => rows.write(0, new Float32Array(5))).toThrow(RangeError);
    expect(() => rows.orderStatisticMean({ from: 1, to: 1 }, 0, target)).toThrow(RangeError);
    expect(() => rows.orderStatisticMean({ from: 0, to: 3 }, 0, target)).toThrow(RangeError);
    expect(() => rows.orderStatisticMean({ from: 0, to: 1 }, 1, target)).toThrow(RangeError);
    expect(() => rows.addProducts(4, new Float64Array(4))).toThrow(RangeError);
    rows.release();
    rows.release();
    expect(() => rows.write(0, target)).toThrow(TypeError);
    expect(() => rows.orderStatisticMean({ from: 0, to: 1 }, 0, target)).toThrow(TypeError);
  });
});

test.each([1, 2, 4, 7, 32, 64, 65, 100])("%i rows: both implementations give the same bits", (count) => {
  const length = 2100;
  const run = (kernels: Kernels): readonly string[] => {
    const random = seededRandom(`bits-${count}`);
    const value = (): number => (random.uniform() - 0.5) * 10 ** (random.integer(8) - 4);
    const values = Array.from({ length: count }, () =>
      Float32Array.from({ length }, (_, index) => (index % 97 === 0 ? -0 : value())),
    );
    const rows = filled(kernels, values);
    const mean = new Float32Array(length);
    rows.combine(new Float32Array(count).fill(1 / count), mean);
    rows.subtract(mean);
    const gram = new Float64Array(count * count);
    for (let first = 0; first < count; first += 4) rows.addProducts(first, gram);
    for (let k = 0; k < count; k++) gram.fill(0, k * count + k + 1, (k + 1) * count);
    const trimmed = new Float32Array(301);
    rows.orderStatisticMean({ from: count >> 2, to: count - (count >> 2) }, 3, trimmed);
    return [bits(mean), bits(gram), bits(trimmed)];
  };

  expect(run(wasmKernels())).toEqual(run(javascriptKernels()));
});
