import type { Bytes } from "../bytes/index.ts";
import { assembleModule, type Code } from "./assembler.ts";
import {
  block,
  branch,
  branchIf,
  end,
  f32x4Add,
  f32x4Larger,
  f32x4Smaller,
  get,
  i32,
  i32Add,
  i32IsZero,
  i32Sub,
  loop,
  set,
  v128LoadAt,
  v128Store,
} from "./instructions.ts";
import type { OrderRange } from "./kernels.ts";
import { sortingNetwork } from "./sorting-network.ts";

/** Most rows for which a module is written: each row is a local, and beyond that a loop over memory is as fast. */
export const MOST_NETWORK_ROWS = 64;

/**
 * The bytes of a module for exactly `count` rows, `strideBytes` apart, in the memory of the kernels, with one function
 * `orderSum(column, bytes, out)`: sorts each column by straight-line comparators and writes the sum of the sorted values
 * `from` to `to` − 1, in that order, in float32.
 */
export function networkModule(count: number, strideBytes: number, { from, to }: OrderRange): Bytes {
  const [column, bytes, out] = [0, 1, 2];
  const row = (index: number): number => 3 + index;
  const range = Array.from({ length: to - from }, (_, index) => row(from + index));
  const step: readonly Code[] = [
    ...Array.from({ length: count }, (_, index) => [
      ...[get(column), v128LoadAt(index * strideBytes), set(row(index))],
    ]).flat(),
    ...sortingNetwork(count, from, to).flatMap(({ low, high }) => [
      ...[get(row(low)), get(row(high)), f32x4Smaller, get(row(low)), get(row(high)), f32x4Larger],
      ...[set(row(high)), set(row(low))],
    ]),
    ...[get(out), ...range.flatMap((each, index) => (index === 0 ? [get(each)] : [get(each), f32x4Add]))],
    v128Store,
  ];
  const body = [
    ...[block, loop, get(bytes), i32IsZero, branchIf(1)],
    ...step,
    ...[column, out].flatMap((pointer) => [get(pointer), i32(16), i32Add, set(pointer)]),
    ...[get(bytes), i32(16), i32Sub, set(bytes)],
    ...[branch(0), end, end],
  ];
  const locals = Array<"v128">(count).fill("v128");
  return assembleModule([{ name: "orderSum", parameters: ["i32", "i32", "i32"], results: [], locals, body }]);
}
