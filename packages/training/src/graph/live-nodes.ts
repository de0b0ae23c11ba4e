import type { Node } from "../onnx/index.ts";

/** The nodes that `wanted` depend on, in the same order, without trailing outputs that nobody uses. */
export function liveNodes(nodes: readonly Node[], wanted: readonly string[]): readonly Node[] {
  const needed = new Set(wanted);
  const live: Node[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    for (const input of node.inputs) needed.add(input);
    live.push({ ...node, outputs: withoutUnused(node.outputs, needed) });
  }
  return live.reverse();
}

/** MaxPool is much faster on most providers when nobody asks for its indices. */
function withoutUnused(outputs: readonly string[], needed: ReadonlySet<string>): readonly string[] {
  const last = outputs.findLastIndex((output) => needed.has(output));
  return outputs.slice(0, last + 1);
}
