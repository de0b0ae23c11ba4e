import * as onnx from "onnxruntime-node";
import type { CompiledStep } from "../../src/compile/index.ts";
import { createRuntime, type Runtime, type RuntimeTensor } from "../../src/runtime/index.ts";

/** The CPU of onnxruntime-node. */
export const cpuRuntime = (): Runtime =>
  createRuntime(onnx, { device: "cpu", threads: 1, writesInPlace: true });

/** What one run of a compiled step is fed, as plain numbers. */
export interface StepFeeds {
  readonly examples: Float32Array;
  readonly labels: Int32Array;
  readonly weights: Float32Array;
  readonly learningRate: number;
  /** Parameters by name; optimizer states begin as zeros. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
}

/** Runs `count` steps on one batch. @returns losses, and the states by name of their output, after each step */
export async function runSteps(
  step: CompiledStep,
  feeds: StepFeeds,
  count: number,
): Promise<{ loss: number; states: ReadonlyMap<string, Float32Array> }[]> {
  const runtime = cpuRuntime();
  const session = await runtime.open(step.model, []);
  const fed: Record<string, RuntimeTensor> = {
    [step.inputs[0]!.name]: runtime.tensor(feeds.examples, step.inputs[0]!.shape),
    [step.labels.name]: runtime.tensor(feeds.labels, step.labels.shape),
    [step.weights.name]: runtime.tensor(feeds.weights, step.weights.shape),
    [step.learningRate.name]: runtime.tensor(Float32Array.of(feeds.learningRate), []),
  };
  for (const { input, parameter, role, shape } of step.states) {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    const values = role === "parameter" ? feeds.parameters.get(parameter)! : new Float32Array(size);
    fed[input] = runtime.tensor(new Float32Array(values), shape);
  }
  const runs = [];
  for (let index = 0; index < count; index++) {
    const results = await session.run(fed);
    const read = (name: string): Float32Array => new Float32Array(results[name]!.data as Float32Array);
    runs.push({
      loss: read(step.loss.name)[0]!,
      states: new Map(step.states.map(({ output }) => [output, read(output)])),
    });
    for (const { input, output } of step.states) fed[input] = results[output]!;
  }
  await session.close();
  return runs;
}
