import type { Code, WasmFunction } from "./assembler.ts";
import {
  block,
  branch,
  branchIf,
  end,
  f32x4Add,
  f32x4Larger,
  f32x4Mul,
  f32x4Smaller,
  get,
  i32,
  i32Add,
  i32IsZero,
  i32Sub,
  loop,
  set,
  v128Load,
  v128Store,
  v128StoreAt,
} from "./instructions.ts";

/** Rows on each side of a tile of inner products. */
export const TILE = 4;

const tile = [0, 1, 2, 3];

/** Runs `body` for every 16 bytes of `remaining`; `pointers` move along. */
function overVectors(remaining: number, pointers: readonly number[], body: readonly Code[]): readonly Code[] {
  return [
    ...[block, loop, get(remaining), i32IsZero, branchIf(1)],
    ...body,
    ...pointers.flatMap((pointer) => [get(pointer), i32(16), i32Add, set(pointer)]),
    ...[get(remaining), i32(16), i32Sub, set(remaining)],
    ...[branch(0), end, end],
  ];
}

/**
 * `products(left, right, stride, bytes, out)`: for the four rows from `left` on and the four from `right` on, `stride`
 * bytes apart, out[4 · i + j] = left_i · right_j as four lanes of float32, by index modulo 4.
 * @remarks `bytes` is a multiple of 16
 */
export function products(): WasmFunction {
  const [left, right, stride, bytes, out] = [0, 1, 2, 3, 4];
  const leftAt = (row: number): number => 5 + row;
  const rightAt = (row: number): number => 9 + row;
  const rightValue = (row: number): number => 13 + row;
  const leftValue = 17;
  const sum = (i: number, j: number): number => 18 + TILE * i + j;
  const rowsFrom = (start: number, at: (row: number) => number): readonly Code[] => [
    ...[get(start), set(at(0))],
    ...[1, 2, 3].flatMap((row) => [get(at(row - 1)), get(stride), i32Add, set(at(row))]),
  ];
  return {
    name: "products",
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    results: [],
    locals: [...Array<"i32">(8).fill("i32"), ...Array<"v128">(5 + TILE * TILE).fill("v128")],
    body: [
      ...rowsFrom(left, leftAt),
      ...rowsFrom(right, rightAt),
      ...overVectors(
        bytes,
        [...tile.map(leftAt), ...tile.map(rightAt)],
        [
          ...tile.flatMap((j) => [get(rightAt(j)), v128Load, set(rightValue(j))]),
          ...tile.flatMap((i) => [
            ...[get(leftAt(i)), v128Load, set(leftValue)],
            ...tile.flatMap((j) => [
              ...[get(sum(i, j)), get(leftValue), get(rightValue(j)), f32x4Mul, f32x4Add, set(sum(i, j))],
            ]),
          ]),
        ],
      ),
      ...tile.flatMap((i) =>
        tile.flatMap((j) => [get(out), get(sum(i, j)), v128StoreAt(16 * (TILE * i + j))]),
      ),
    ],
  };
}

/** `compareExchange(low, high, bytes)`: the smaller value of each pair goes to `low`, the larger to `high`; 16 bytes a step. */
export function compareExchange(): WasmFunction {
  const [low, high, bytes, a, b] = [0, 1, 2, 3, 4];
  return {
    name: "compareExchange",
    parameters: ["i32", "i32", "i32"],
    results: [],
    locals: ["v128", "v128"],
    body: overVectors(
      bytes,
      [low, high],
      [
        ...[get(low), v128Load, set(a), get(high), v128Load, set(b)],
        ...[get(low), get(a), get(b), f32x4Smaller, v128Store],
        ...[get(high), get(a), get(b), f32x4Larger, v128Store],
      ],
    ),
  };
}
