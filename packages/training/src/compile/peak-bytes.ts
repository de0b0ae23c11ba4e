import { BYTES_PER_ELEMENT, elementCount } from "@photinus/core/tensor";
import type { ValueType } from "../graph/index.ts";
import type { Graph } from "../onnx/index.ts";

/**
 * Most bytes of computed values that are alive at a time while the nodes of a graph run in their order. Outputs stay.
 * A runtime that computes in place, or sees one memory in two shapes, needs less.
 */
export function peakBytes({ nodes, outputs }: Graph, typeOf: (name: string) => ValueType): number {
  const lastUse = new Map<string, number>();
  for (const [index, { inputs }] of nodes.entries()) {
    for (const input of inputs) lastUse.set(input, index);
  }
  for (const { name } of outputs) lastUse.set(name, nodes.length);
  const alive = new Map<string, number>();
  let [live, peak] = [0, 0];
  for (const [index, node] of nodes.entries()) {
    for (const output of node.outputs.filter((name) => name !== "")) {
      const { dtype, shape } = typeOf(output);
      alive.set(output, elementCount(shape) * BYTES_PER_ELEMENT[dtype]);
      live += alive.get(output) ?? 0;
    }
    peak = Math.max(peak, live);
    for (const name of new Set([...node.inputs, ...node.outputs])) {
      if ((lastUse.get(name) ?? index) > index) continue;
      live -= alive.get(name) ?? 0;
      alive.delete(name);
    }
  }
  return peak;
}
