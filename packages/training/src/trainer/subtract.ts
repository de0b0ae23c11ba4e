import { layoutOfParameters, type ParameterSet, unpackParameters } from "@photinus/core/tensor";

/**
 * Trained minus received, for the tensors of `trained`, in its order. All lie in one new block of memory, so that a
 * worker hands them over without a copy.
 */
export function subtract(trained: ParameterSet, received: ParameterSet): ParameterSet {
  const layout = layoutOfParameters(trained);
  const delta = unpackParameters(layout, new Uint8Array(layout.byteLength));
  for (const [name, tensor] of delta) {
    const [after, before] = [trained.get(name)?.f32, received.get(name)?.f32];
    if (after === undefined || before?.length !== after.length) throw new RangeError(`no parameter ${name}`);
    const difference = tensor.f32;
    for (let index = 0; index < difference.length; index++) {
      difference[index] = (after[index] ?? 0) - (before[index] ?? 0);
    }
  }
  return delta;
}
