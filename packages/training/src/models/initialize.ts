import { type ParameterDescriptor, ParameterSet, Tensor } from "@photinus/core/tensor";
import { seededRandom } from "../random.ts";

/**
 * Initial values for ReLU networks: weights from a normal distribution with variance 2 / fan-in (He et al. 2015,
 * equation 10), vectors (biases) zero. One seed gives the same values in every runtime.
 *
 * @param parameters f32 tensors; weights are [out, in, ...]
 * @param seed unsigned 32-bit integer
 */
export function initializeParameters(parameters: readonly ParameterDescriptor[], seed: number): ParameterSet {
  const random = seededRandom(seed);
  return new ParameterSet(
    parameters.map(({ name, shape }) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
      const deviation = shape.length < 2 ? 0 : Math.sqrt(2 / fanIn);
      const values = Float32Array.from({ length: count }, () =>
        deviation === 0 ? 0 : deviation * random.normal(),
      );
      return [name, Tensor.f32(shape, values)];
    }),
  );
}
