import { toHex } from "@photinus/core/bytes";
import {
  createKernels,
  javascriptKernels,
  type Kernels,
  kernelModule,
  wasmKernels,
} from "@photinus/core/kernels";
import { webCrypto } from "@photinus/core/platform";
import { type SeededRandom, seededRandom } from "@photinus/core/testing";
import { describe, expect, test } from "vitest";

const IMPLEMENTATIONS: readonly (readonly [string, () => Kernels])[] = [
  ["wasm", wasmKernels],
  ["javascript", javascriptKernels],
];

/** Values of very different sizes, signed zeros and subnormal numbers among them. */
function values(random: SeededRandom, length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, index) => {
    if (index % 97 === 0) return -0;
    if (index % 101 === 0) return 1e-42;
    return (random.uniform() - 0.5) * 10 ** (random.integer(12) - 6);
  });
}

const bits = (floats: Float32Array | Float64Array): string =>
  toHex(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));

describe.each(IMPLEMENTATIONS)("%s", (_, create) => {
  test("adds scaled values where it is told and nowhere else", () => {
    const accumulator = create().accumulator(10);
    accumulator.addScaled(2, Float32Array.of(1, 2, 3, 4, 5), 2);
    accumulator.addScaled(4, Float32Array.of(10), 1);

    const read = new Float32Array(10);
    accumulator.read(0, read);

    expect([...read]).toEqual([0, 0, 2, 4, 16, 8, 10, 0, 0, 0]);
  });

  test.each([0, 1, 2, 3, 4, 5, 7, 16, 1000, 16_383, 16_384, 16_385, 40_001])(
    "handles %i values",
    (length) => {
      const random = seededRandom(length);
      const kernels = create();
      const accumulator = kernels.accumulator(length);
      const [a, b] = [values(random, length), values(random, length)];
      accumulator.addScaled(0, a, 0.3);
      accumulator.addScaled(0, b, 7);

      const read = new Float32Array(length);
      accumulator.read(0, read);

      const expected = a.map((value, index) => {
        const first = Math.fround(Math.fround(0.3) * value);
        return Math.fround(first + Math.fround(7 * (b[index] ?? 0)));
      });
      expect(bits(read)).toBe(bits(expected.map((value) => value + 0)));
      const reference = a.reduce((sum, value) => sum + value * value, 0);
      // Two orders of a float64 sum of n terms differ by less than n · 2^-53 of it.
      expect(Math.abs(kernels.sumOfSquares(a) - reference)).toBeLessThanOrEqual(
        reference * length * 2 ** -53,
      );
    },
  );

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "the sum of squares is finite unless one value is %s, wherever it stands",
    (bad) => {
      const kernels = create();
      for (const position of [0, 1, 2, 3, 4, 4095, 16_384, 16_385, 16_386, 16_387]) {
        const all = new Float32Array(16_388).fill(3.4028234663852886e38);
        expect(Number.isFinite(kernels.sumOfSquares(all))).toBe(true);
        all[position] = bad;
        expect(Number.isFinite(kernels.sumOfSquares(all))).toBe(false);
      }
    },
  );

  test("takes values of any alignment and leaves them as they are", () => {
    const bytes = new Uint8Array(4 * 9);
    const shifted = new Float32Array(bytes.buffer, 4, 7).fill(1.5);
    const accumulator = create().accumulator(7);

    accumulator.addScaled(0, shifted, 2);

    expect([...shifted]).toEqual(Array(7).fill(1.5));
  });

  test("refuses what ends outside and what was released", () => {
    const accumulator = create().accumulator(4);

    expect(() => accumulator.addScaled(1, new Float32Array(4), 1)).toThrow(RangeError);
    expect(() => accumulator.addScaled(-1, new Float32Array(1), 1)).toThrow(RangeError);
    expect(() => accumulator.read(2, new Float32Array(3))).toThrow(RangeError);
    accumulator.release();
    accumulator.release();
    expect(() => accumulator.addScaled(0, new Float32Array(1), 1)).toThrow(TypeError);
    expect(() => accumulator.read(0, new Float32Array(1))).toThrow(TypeError);
  });

  test("adds and measures what lies in a buffer as what lies elsewhere, at any place in it", () => {
    const random = seededRandom("buffer");
    const kernels = create();
    const length = 40_003;
    const buffer = kernels.buffer(4 * (length + 5));
    const [inside, outside] = [kernels.accumulator(length), kernels.accumulator(length)];
    const update = values(random, length);
    for (const start of [0, 1, 5]) {
      const there = new Float32Array(buffer.bytes.buffer, buffer.bytes.byteOffset + 4 * start, length);
      there.set(update);
      inside.addScaled(0, there, 0.7);
      outside.addScaled(0, update, 0.7);
      expect(kernels.sumOfSquares(there)).toBe(kernels.sumOfSquares(update));
    }

    const [a, b] = [new Float32Array(length), new Float32Array(length)];
    inside.read(0, a);
    outside.read(0, b);

    expect(buffer.bytes).toHaveLength(4 * (length + 5));
    expect(buffer.bytes.byteOffset % 16).toBe(0);
    expect(bits(a)).toBe(bits(b));
  });

  test("what is lent later moves and overlaps nothing, in the same memory or in the next", () => {
    const kernels = create();
    const megabytes = 1_048_576;
    const buffers = [1, 7, 3, 40, 2].map((count) => kernels.buffer(count * megabytes));
    for (const [index, { bytes }] of buffers.entries()) bytes.fill(index + 1);
    buffers[1]?.release();
    buffers[1]?.release(); // once is enough
    const again = kernels.buffer(6 * megabytes);
    again.bytes.fill(9);
    const sum = kernels.accumulator(megabytes);
    const wholes = new Float32Array(again.bytes.buffer, again.bytes.byteOffset, megabytes).fill(2);
    sum.addScaled(0, wholes, 3);

    const kept = buffers.flatMap(({ bytes }, index) => (index === 1 ? [] : [bytes.at(0), bytes.at(-1)]));
    const read = new Float32Array(megabytes);
    sum.read(0, read);

    expect(kept).toEqual([1, 1, 3, 3, 4, 4, 5, 5]);
    expect(read.every((value) => value === 6)).toBe(true);
  });

  test("memory that was released comes back zeroed, and growing keeps what is there", () => {
    const kernels = create();
    const kept = kernels.accumulator(100_000);
    const first = kernels.accumulator(50_000);
    kept.addScaled(99_999, Float32Array.of(5), 1);
    first.addScaled(0, new Float32Array(50_000).fill(1), 1);
    first.release();
    const second = kernels.accumulator(20_000);
    kernels.accumulator(3_000_000);

    const read = new Float32Array(20_000);
    second.read(0, read);
    const last = new Float32Array(1);
    kept.read(99_999, last);

    expect(read.every((value) => value === 0)).toBe(true);
    expect([...last]).toEqual([5]);
  });
});

test("both implementations give the same bits", () => {
  const length = 50_003;
  const run = (kernels: Kernels): readonly string[] => {
    const random = seededRandom("bits");
    const accumulator = kernels.accumulator(length);
    const read = new Float32Array(length);
    const norms = Float64Array.from({ length: 8 }, (_, turn) => {
      const update = values(random, length - turn);
      accumulator.addScaled(turn, update, random.uniform() * 10 ** random.integer(6));
      return kernels.sumOfSquares(update);
    });
    accumulator.read(0, read);
    return [bits(read), bits(norms)];
  };

  expect(run(wasmKernels())).toEqual(run(javascriptKernels()));
});

test("WebAssembly runs here, so it is what createKernels takes", () => {
  expect(createKernels().implementation).toBe("wasm");
});

test("the module is below 10 kB and stays as it is", async () => {
  const module = kernelModule();

  expect(module.byteLength).toBeLessThan(10_000);
  expect(toHex(await webCrypto().sha256(module))).toBe(
    "d2a270c172846fc2ae6090104a2e891de5215cc99093114b5b7aeda6e3c485a1",
  );
});
