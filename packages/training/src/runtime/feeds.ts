import type { ParameterSet } from "@photinus/core/tensor";
import type { Port } from "../compile/index.ts";
import type { Runtime, RuntimeTensor, Tensors } from "./runtime.ts";

/** Parameters as feeds; their memory is shared, and the runtime does not change it. */
export function feedsOf(
  runtime: Runtime,
  ports: ReadonlyMap<string, Port>,
  parameters: ParameterSet,
): Tensors {
  const feeds: Record<string, RuntimeTensor> = {};
  for (const [name, port] of ports) {
    const tensor = parameters.get(name);
    if (tensor === undefined) throw new RangeError(`no parameter ${name}`);
    feeds[port.name] = runtime.tensor(tensor.f32, port.shape);
  }
  return feeds;
}

/** The f32 values of a tensor on the CPU. */
export function valuesOf(tensor: RuntimeTensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new TypeError("expected an f32 tensor on the CPU");
  return tensor.data;
}
