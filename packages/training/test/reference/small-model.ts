import { Tensor } from "@photinus/core/tensor";
import type { Attribute, Node } from "../../src/onnx/index.ts";
import { seededRandom } from "../../src/random.ts";

/** A node with one output, which it is called by. */
export const node = (
  operator: string,
  inputs: string[],
  output: string,
  attributes: Record<string, Attribute> = {},
): Node => ({
  ...{ name: output, operator, inputs, outputs: [output], attributes: new Map(Object.entries(attributes)) },
});

/** @returns draws tensors of a shape from the standard normal distribution */
export function normalTensors(seed: number): (...shape: number[]) => Tensor {
  const random = seededRandom(seed);
  return (...shape) =>
    Tensor.f32(
      shape,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    );
}
