import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { type CompiledStep, compileStep, type StepOptions } from "../../src/compile/index.ts";
import { type Dataset, floatsOf } from "../../src/data/index.ts";
import type { Model } from "../../src/onnx/index.ts";
import { StepSession } from "../../src/runtime/index.ts";
import { cpuRuntime } from "./onnx-runtime.ts";

/** x · weight + bias, 3 numbers to 2. */
export const LINEAR: Model = {
  ...{ irVersion: 9, opset: 20, producer: "test" },
  graph: {
    name: "linear",
    inputs: [{ name: "x", dtype: "f32", shape: ["batch", 3] }],
    outputs: [{ name: "y", dtype: "f32", shape: ["batch", 2] }],
    initializers: new Map([
      ["weight", Tensor.f32([3, 2], new Float32Array(6))],
      ["bias", Tensor.f32([2], new Float32Array(2))],
    ]),
    nodes: [
      { name: "", operator: "Gemm", inputs: ["x", "weight", "bias"], outputs: ["y"], attributes: new Map() },
    ],
  },
};

/** The parameter table of {@link LINEAR}. */
export const LINEAR_TABLE = [
  { name: "weight", dtype: "f32", shape: [3, 2], trainable: true },
  { name: "bias", dtype: "f32", shape: [2], trainable: true },
] as const;

/** Values for {@link LINEAR}. */
export function linearParameters(weight: readonly number[], bias: readonly number[]): ParameterSet {
  return new ParameterSet([
    ["weight", Tensor.f32([3, 2], Float32Array.from(weight))],
    ["bias", Tensor.f32([2], Float32Array.from(bias))],
  ]);
}

/** Rows of 3 numbers with 2 numbers as the right answer. */
export function linearData(x: readonly number[], y: readonly number[]): Dataset {
  return {
    count: x.length / 3,
    features: [{ name: "x", dtype: "f32", shape: [3] }],
    labelling: { kind: "numbers", shape: [2] },
    read: (indices, into) => {
      indices.forEach((index, row) => {
        floatsOf(into, 0).set(x.slice(3 * index, 3 * index + 3), 3 * row);
        into.labels.set(y.slice(2 * index, 2 * index + 2), 2 * row);
      });
    },
  };
}

/** Positions 0 to `count` - 1. */
export const firstOf = (count: number, from = 0): Uint32Array =>
  Uint32Array.from({ length: count }, (_, index) => from + index);

/** A step of {@link LINEAR} under mean squared error. */
export function compileLinear(options: Partial<StepOptions>, batchSize = 8): CompiledStep {
  return compileStep(LINEAR, {
    ...{ parameters: LINEAR_TABLE, loss: "mean-squared-error", profile: "cpu", batchSize },
    optimizer: { name: "sgd", momentum: 0 },
    ...options,
  });
}

/** Calls `use` with an open step, and closes it. */
export async function withLinear<T>(
  options: Partial<StepOptions>,
  use: (session: StepSession) => Promise<T>,
  batchSize = 8,
): Promise<T> {
  const session = await StepSession.open(cpuRuntime(), compileLinear(options, batchSize));
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
