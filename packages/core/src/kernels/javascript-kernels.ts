import { JavascriptRows } from "./javascript-rows.ts";
import { STAGE_FLOATS } from "./kernel-module.ts";
import { type Accumulator, type Kernels, requireRange } from "./kernels.ts";

/** The kernels without WebAssembly: where a page forbids it or SIMD is missing. Same bits, several times slower. */
export function javascriptKernels(): Kernels {
  return {
    implementation: "javascript",
    accumulator: (length) => new JavascriptAccumulator(length),
    sumOfSquares(values) {
      let total = 0;
      for (let start = 0; start < values.length; start += STAGE_FLOATS) {
        total += stageSumOfSquares(values.subarray(start, start + STAGE_FLOATS));
      }
      return total;
    },
    rows: (count, length) => new JavascriptRows(count, length),
    buffer: (byteLength) => ({ bytes: new Uint8Array(byteLength), release: () => undefined }),
  };
}

class JavascriptAccumulator implements Accumulator {
  readonly length: number;
  #values: Float32Array | undefined;

  constructor(length: number) {
    this.length = length;
    this.#values = new Float32Array(length);
  }

  addScaled(offset: number, values: Float32Array, weight: number): void {
    const accumulator = this.#live();
    requireRange(this.length, offset, values.length);
    const scale = Math.fround(weight);
    for (let index = 0; index < values.length; index++) {
      // The product of two float32 is exact in float64, and the sum rounds once more when it is stored.
      const product = Math.fround(scale * (values[index] ?? 0));
      accumulator[offset + index] = (accumulator[offset + index] ?? 0) + product;
    }
  }

  read(offset: number, target: Float32Array): void {
    const accumulator = this.#live();
    requireRange(this.length, offset, target.length);
    target.set(accumulator.subarray(offset, offset + target.length));
  }

  release(): void {
    this.#values = undefined;
  }

  #live(): Float32Array {
    if (this.#values === undefined) throw new TypeError("the accumulator was released");
    return this.#values;
  }
}

/** In the order of kernel-module.ts: four lanes, then the rest. */
function stageSumOfSquares(values: Float32Array): number {
  const lanes = [0, 0, 0, 0] as [number, number, number, number];
  const whole = values.length - (values.length % 4);
  for (let index = 0; index < whole; index += 4) {
    const [a, b, c, d] = [
      values[index] ?? 0,
      values[index + 1] ?? 0,
      values[index + 2] ?? 0,
      values[index + 3] ?? 0,
    ];
    lanes[0] += a * a;
    lanes[1] += b * b;
    lanes[2] += c * c;
    lanes[3] += d * d;
  }
  let rest = 0;
  for (const value of values.subarray(whole)) rest += value * value;
  return lanes[0] + lanes[1] + (lanes[2] + lanes[3]) + rest;
}
