import { TARGET_OPSET } from "../../src/graph/index.ts";
import { writeModel } from "../../src/onnx/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { buildCase, drawPoint, type GradientCase } from "./check-gradient.ts";
import { interpret } from "./interpret.ts";

/**
 * How far the gradients that a runtime computes are from those of the float64 reference: the norm of the difference
 * over the norm, for the worst input. The graph is the one that `runtime.device` gets, or that of `profile`.
 */
export async function errorOnRuntime(
  sample: GradientCase,
  runtime: Runtime,
  profile = runtime.device,
): Promise<number> {
  const graph = buildCase(sample, { profile });
  const { builder, gradients } = graph;
  const point = drawPoint(sample, graph);
  const expected = interpret(
    builder,
    new Map([...point].map(([name, { shape, data }]) => [name, { shape, data: data.map(Math.fround) }])),
  );
  // One gradient may be that of two inputs (a + b): it is an output once.
  const outputs = new Map([...new Set(gradients)].map((name, index) => [`gradient${index}`, name]));
  const built = builder.build("case", outputs);
  const session = await runtime.open(
    writeModel({ irVersion: 9, opset: TARGET_OPSET, producer: "test", graph: built }),
    [],
  );
  try {
    const feeds = [...point].map(([name, { shape, data }]) => [
      name,
      runtime.tensor(Float32Array.from(data), shape),
    ]);
    const results = await session.run(Object.fromEntries(feeds));
    const errors = [...outputs].map(([output, name]) => {
      const reference = expected.get(name)!.data;
      const computed = results[output]!.data as Float32Array;
      const difference = Math.hypot(...reference.map((value, index) => value - computed[index]!));
      return difference / Math.max(1e-6, Math.hypot(...reference));
    });
    return Math.max(...errors);
  } finally {
    await session.close();
  }
}
