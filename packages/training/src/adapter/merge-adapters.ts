import { type ParameterSet, Tensor } from "@photinus/core/tensor";
import type { Model } from "../onnx/index.ts";
import { type AdaptedWeight, type AdapterOptions, adaptedWeights, scaleOf } from "./adapted-weights.ts";
import { adapterNames } from "./add-adapters.ts";

/**
 * The model without adapters that computes what the adapted one does: W + (α / r) · A · B in the place of W, summed in
 * float64.
 *
 * @param model the one that {@link addAdapters} was given, and `options` the same
 * @throws TrainingError as {@link addAdapters}; RangeError when `adapters` are not those of the model
 */
export function mergeAdapters(model: Model, adapters: ParameterSet, options: AdapterOptions): Model {
  const scale = scaleOf(options);
  const merged = adaptedWeights(model, options).map((weight) => {
    const [first, second] = adapterNames(weight.name).map((name, index) => {
      const shape = index === 0 ? [weight.inputs, options.rank] : [options.rank, weight.outputs];
      const tensor = adapters.get(name);
      if (tensor?.shape.join() !== shape.join())
        throw new RangeError(`adapter ${name} must be f32[${shape}]`);
      return tensor.f32;
    });
    const original = model.graph.initializers.get(weight.name)?.f32 ?? new Float32Array();
    const factors = { first: first ?? original, second: second ?? original, rank: options.rank, scale };
    return [weight.name, mergedWeight(original, weight, factors)] as const;
  });
  const { graph } = model;
  return { ...model, graph: { ...graph, initializers: new Map([...graph.initializers, ...merged]) } };
}

interface Factors {
  readonly first: Float32Array;
  readonly second: Float32Array;
  readonly rank: number;
  readonly scale: number;
}

function mergedWeight(
  original: Float32Array,
  { inputs, outputs, isTransposed }: AdaptedWeight,
  { first, second, rank, scale }: Factors,
): Tensor {
  const values = new Float32Array(original.length);
  for (let row = 0; row < inputs; row++) {
    for (let column = 0; column < outputs; column++) {
      let sum = 0;
      for (let k = 0; k < rank; k++)
        sum += (first[row * rank + k] ?? 0) * (second[k * outputs + column] ?? 0);
      const at = isTransposed ? column * inputs + row : row * outputs + column;
      values[at] = (original[at] ?? 0) + scale * sum;
    }
  }
  return Tensor.f32(isTransposed ? [outputs, inputs] : [inputs, outputs], values);
}
