import { Tensor } from "@photinus/core/tensor";
import { type GraphBuilder, TARGET_OPSET } from "../../src/graph/index.ts";
import { type Graph, type Value as GraphValue, writeModel } from "../../src/onnx/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { buildCase, drawPoint, type GradientCase, nodeOf } from "./check-gradient.ts";
import { interpret } from "./interpret.ts";
import type { Value } from "./value.ts";

/** Every value in float64, from feeds that are rounded to float32 first. */
function reference(builder: GraphBuilder, point: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  const rounded = [...point].map(
    ([name, { shape, data }]) => [name, { shape, data: data.map(Math.fround) }] as const,
  );
  return interpret(builder, new Map(rounded));
}

/** The norm of the difference over the norm. */
function relativeError(expected: Value, computed: Float32Array): number {
  const difference = Math.hypot(...expected.data.map((value, index) => value - computed[index]!));
  return difference / Math.max(1e-6, Math.hypot(...expected.data));
}

interface Run {
  readonly runtime: Runtime;
  readonly graph: Graph;
  readonly opset: number;
  readonly point: ReadonlyMap<string, Value>;
}

async function runGraph({ runtime, graph, opset, point }: Run): Promise<ReadonlyMap<string, Float32Array>> {
  const irVersion = opset > 20 ? 10 : 9;
  const session = await runtime.open(writeModel({ irVersion, opset, producer: "test", graph }), []);
  try {
    const feeds = graph.inputs.map(({ name }) => {
      const { shape, data } = point.get(name)!;
      return [name, runtime.tensor(Float32Array.from(data), shape)];
    });
    const results = await session.run(Object.fromEntries(feeds));
    return new Map(graph.outputs.map(({ name }) => [name, results[name]!.data as Float32Array]));
  } finally {
    await session.close();
  }
}

/**
 * How far the gradients that a runtime computes are from those of the float64 reference, for the worst input. The graph
 * is the one that `runtime.device` gets, or that of `profile`.
 */
export async function errorOnRuntime(
  sample: GradientCase,
  runtime: Runtime,
  profile = runtime.device,
): Promise<number> {
  const graph = buildCase(sample, { profile });
  const { builder, gradients } = graph;
  const point = drawPoint(sample, graph);
  const expected = reference(builder, point);
  // One gradient may be that of two inputs (a + b): it is an output once.
  const outputs = new Map([...new Set(gradients)].map((name, index) => [`gradient${index}`, name]));
  const built = builder.build("case", outputs);
  const results = await runGraph({ runtime, graph: built, opset: TARGET_OPSET, point });
  const errors = [...outputs].map(([output, name]) =>
    relativeError(expected.get(name)!, results.get(output)!),
  );
  return Math.max(...errors);
}

/**
 * How far the forward nodes that an operator is imported as, in float64, are from the runtime's own kernel of that
 * operator, which shares nothing with them.
 */
export async function forwardErrorOnRuntime(sample: GradientCase, runtime: Runtime): Promise<number> {
  const graph = buildCase(sample, { profile: runtime.device });
  const point = drawPoint(sample, graph);
  const constants = (sample.constants ?? []).map((given, index) => {
    const tensor = given instanceof Tensor ? given : new Tensor("i64", [given.length], bytesOf(given));
    return [`c${index}`, tensor] as const;
  });
  const node = nodeOf(sample, { inputs: graph.inputs, constants: constants.map(([name]) => name) });
  const wanted = node.outputs.at(-1)!;
  const typeless: GraphValue = { name: wanted, dtype: "f32", shape: undefined };
  const single: Graph = {
    name: "case",
    inputs: graph.inputs.map((name) => ({ name, ...graph.builder.type(name) })),
    outputs: [typeless],
    initializers: new Map(constants),
    nodes: [node],
  };
  const results = await runGraph({ runtime, graph: single, opset: sample.opset ?? TARGET_OPSET, point });
  return relativeError(reference(graph.builder, point).get(graph.output)!, results.get(wanted)!);
}

function bytesOf(values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
}
