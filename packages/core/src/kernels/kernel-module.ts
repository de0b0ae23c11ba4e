import type { Bytes } from "../bytes/index.ts";
import { assembleModule, type Code, type WasmFunction } from "./assembler.ts";
import {
  block,
  branch,
  branchIf,
  end,
  f32Add,
  f32Load,
  f32Mul,
  f32Store,
  f32x4Add,
  f32x4Mul,
  f32x4Splat,
  f64Add,
  f64FromF32,
  f64Mul,
  f64x2Add,
  f64x2FromLowF32x4,
  f64x2Lane,
  f64x2Mul,
  get,
  i32,
  i32Add,
  i32IsZero,
  i32LessUnsigned,
  i32Sub,
  loop,
  set,
  upperHalf,
  v128LoadAt,
  v128StoreAt,
} from "./instructions.ts";
import { compareExchange, products } from "./row-functions.ts";

/** Floats of the stage at the beginning of the memory: what one call works on. One page of 64 KiB. */
export const STAGE_FLOATS = 16_384;

/** Bytes of one page of WebAssembly memory. */
export const PAGE_BYTES = 65_536;

/** Bytes of one step of a long run: four vectors. */
const WIDE_BYTES = 64;

/**
 * Runs `body` on 16 bytes, four times a step while there are so many, then `tail` on 4 bytes each; `pointers` move along.
 * @param body for the 16 bytes that lie `offset` bytes after the pointers
 */
function overFloats(
  remaining: number,
  pointers: readonly number[],
  { body, tail }: { readonly body: (offset: number) => readonly Code[]; readonly tail: readonly Code[] },
): readonly Code[] {
  const move = (bytes: number): readonly Code[] => [
    ...pointers.flatMap((pointer) => [get(pointer), i32(bytes), i32Add, set(pointer)]),
    ...[get(remaining), i32(bytes), i32Sub, set(remaining)],
  ];
  const whileAtLeast = (bytes: number, step: readonly Code[]): readonly Code[] => [
    ...[block, loop, get(remaining), i32(bytes), i32LessUnsigned, branchIf(1)],
    ...step,
    ...move(bytes),
    ...[branch(0), end, end],
  ];
  return [
    ...whileAtLeast(WIDE_BYTES, [0, 16, 32, 48].flatMap(body)),
    ...whileAtLeast(16, body(0)),
    ...[block, loop, get(remaining), i32IsZero, branchIf(1)],
    ...tail,
    ...move(4),
    ...[branch(0), end, end],
  ];
}

/** `addScaled(accumulator, values, bytes, weight)`: accumulator[i] = f32(accumulator[i] + f32(weight * values[i])). */
function addScaled(): WasmFunction {
  const [accumulator, values, bytes, weight, weights] = [0, 1, 2, 3, 4];
  return {
    name: "addScaled",
    parameters: ["i32", "i32", "i32", "f32"],
    results: [],
    locals: ["v128"],
    body: [
      ...[get(weight), f32x4Splat, set(weights)],
      ...overFloats(bytes, [accumulator, values], {
        body: (offset) => [
          ...[get(accumulator), get(accumulator), v128LoadAt(offset)],
          ...[get(weights), get(values), v128LoadAt(offset), f32x4Mul, f32x4Add, v128StoreAt(offset)],
        ],
        tail: [
          ...[get(accumulator), get(accumulator), f32Load],
          ...[get(weight), get(values), f32Load, f32Mul, f32Add, f32Store],
        ],
      }),
    ],
  };
}

/**
 * `sumOfSquares(values, bytes)` in float64: four lanes by index modulo 4, the rest of up to three in a fifth sum;
 * ((lane 0 + lane 1) + (lane 2 + lane 3)) + rest. The square of a finite float32 is finite in float64, and so is any
 * sum of them here: the result is finite exactly when every value is.
 */
function sumOfSquares(): WasmFunction {
  const [values, bytes, lower, upper, rest, four, one] = [0, 1, 2, 3, 4, 5, 6];
  const addSquares = (sum: number, widen: readonly Code[]): readonly Code[] => [
    ...[get(sum), ...widen, ...widen, f64x2Mul, f64x2Add, set(sum)],
  ];
  return {
    name: "sumOfSquares",
    parameters: ["i32", "i32"],
    results: ["f64"],
    locals: ["v128", "v128", "f64", "v128", "f64"],
    body: [
      ...overFloats(bytes, [values], {
        body: (offset) => [
          ...[get(values), v128LoadAt(offset), set(four)],
          ...addSquares(lower, [get(four), f64x2FromLowF32x4]),
          ...addSquares(upper, [get(four), get(four), upperHalf, f64x2FromLowF32x4]),
        ],
        tail: [
          ...[get(values), f32Load, f64FromF32, set(one)],
          ...[get(rest), get(one), get(one), f64Mul, f64Add, set(rest)],
        ],
      }),
      ...[get(lower), f64x2Lane(0), get(lower), f64x2Lane(1), f64Add],
      ...[get(upper), f64x2Lane(0), get(upper), f64x2Lane(1), f64Add],
      ...[f64Add, get(rest), f64Add],
    ],
  };
}

/** The bytes of the WebAssembly module of all kernels: made from this source, below two kilobytes. */
export function kernelModule(): Bytes {
  return assembleModule([addScaled(), sumOfSquares(), products(), compareExchange()]);
}
