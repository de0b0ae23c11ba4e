import type { Code } from "./assembler.ts";
import { unsigned } from "./leb128.ts";

const simd = (opcode: number, ...immediates: readonly number[]): Code => [
  0xfd,
  ...unsigned(opcode),
  ...immediates,
];

// The instructions that the kernels use (core specification 2.0, 5.4). Memory accesses assume no alignment.

/** Pushes a local. */
export const get = (local: number): Code => [0x20, ...unsigned(local)];

/** Pops into a local. */
export const set = (local: number): Code => [0x21, ...unsigned(local)];

/** i32.const of 0 to 127. */
export const i32 = (value: number): Code => (value < 64 ? [0x41, value] : [0x41, value + 0x80, 0x00]); // signed LEB128

/** i32.add */
export const i32Add: Code = [0x6a];

/** i32.sub */
export const i32Sub: Code = [0x6b];

/** i32.lt_u */
export const i32LessUnsigned: Code = [0x49];

/** i32.eqz */
export const i32IsZero: Code = [0x45];

/** block without results */
export const block: Code = [0x02, 0x40];

/** loop without results */
export const loop: Code = [0x03, 0x40];

/** Ends a block, a loop or a function. */
export const end: Code = [0x0b];

/** br */
export const branch = (depth: number): Code => [0x0c, depth];

/** br_if */
export const branchIf = (depth: number): Code => [0x0d, depth];

/** f32.load */
export const f32Load: Code = [0x2a, 0, 0];

/** f32.store */
export const f32Store: Code = [0x38, 0, 0];

/** f32.add */
export const f32Add: Code = [0x92];

/** f32.mul */
export const f32Mul: Code = [0x94];

/** f64.add */
export const f64Add: Code = [0xa0];

/** f64.mul */
export const f64Mul: Code = [0xa2];

/** f64.promote_f32 */
export const f64FromF32: Code = [0xbb];

/** v128.load */
export const v128Load: Code = simd(0x00, 0, 0);

/** v128.load, `offset` bytes after the address */
export const v128LoadAt = (offset: number): Code => simd(0x00, 0, ...unsigned(offset));

/** v128.store, `offset` bytes after the address */
export const v128StoreAt = (offset: number): Code => simd(0x0b, 0, ...unsigned(offset));

/** v128.store */
export const v128Store: Code = simd(0x0b, 0, 0);

/** f32x4.splat */
export const f32x4Splat: Code = simd(0x13);

/** f32x4.add */
export const f32x4Add: Code = simd(0xe4);

/** f32x4.pmin of a and b: b < a ? b : a */
export const f32x4Smaller: Code = simd(0xea);

/** f32x4.pmax of a and b: a < b ? b : a */
export const f32x4Larger: Code = simd(0xeb);

/** f32x4.mul */
export const f32x4Mul: Code = simd(0xe6);

/** f64x2.add */
export const f64x2Add: Code = simd(0xf0);

/** f64x2.mul */
export const f64x2Mul: Code = simd(0xf2);

/** f64x2.promote_low_f32x4 */
export const f64x2FromLowF32x4: Code = simd(0x5f);

/** f64x2.extract_lane */
export const f64x2Lane = (lane: 0 | 1): Code => simd(0x21, lane);

/** i8x16.shuffle of two vectors: the upper half of the first, twice. */
export const upperHalf: Code = simd(0x0d, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
