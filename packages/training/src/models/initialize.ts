import { elementCount, type ParameterDescriptor, ParameterSet, Tensor } from "@photinus/core/tensor";
import { seededRandom } from "../random.ts";

/**
 * Initial values as PyTorch gives its layers: uniform in ±1 / √fan-in (LeCun et al. 1998, section 4.6, up to a constant),
 * the bias with the fan-in of the weights before it. One seed gives the same values in every runtime.
 *
 * @param parameters f32 tensors; weights are [out, in, ...], each followed by its bias
 * @param seed unsigned 32-bit integer
 */
export function initializeParameters(parameters: readonly ParameterDescriptor[], seed: number): ParameterSet {
  const random = seededRandom(seed);
  let fanIn = 1;
  return new ParameterSet(
    parameters.map(({ name, shape }) => {
      if (shape.length > 1) fanIn = elementCount(shape.slice(1));
      const bound = 1 / Math.sqrt(fanIn);
      const values = Float32Array.from(
        { length: elementCount(shape) },
        () => bound * (2 * random.uniform() - 1),
      );
      return [name, Tensor.f32(shape, values)];
    }),
  );
}
