import type { Tensor } from "@photinus/core/tensor";
import { tensorOf } from "../../../src/graph/index.ts";

export const i64 = (shape: readonly number[], ...values: number[]): Tensor => tensorOf("i64", shape, values);

export const f32 = (shape: readonly number[], ...values: number[]): Tensor => tensorOf("f32", shape, values);

export const bool = (shape: readonly number[], ...values: number[]): Tensor =>
  tensorOf("bool", shape, values);
