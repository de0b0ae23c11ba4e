import { TrainingError } from "@photinus/core/errors";
import { elementCount } from "@photinus/core/tensor";
import type { Tensor as RuntimeTensor } from "onnxruntime-common";
import { buildBackward, type Profile } from "../../src/gradient/index.ts";
import { Algebra, GraphBuilder, importModel, TARGET_OPSET } from "../../src/graph/index.ts";
import { int, type Model, writeModel } from "../../src/onnx/index.ts";
import type { OnnxRuntime } from "../../src/runtime/index.ts";

/** A tensor as the vectors hold it: numbers, or 64-bit integers. */
export interface Operand {
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

/** One model with its data. */
export interface TorchSample {
  readonly model: Model;
  readonly input: Operand;
  /** Class ids, row-major; -100 is left out. */
  readonly labels: BigInt64Array;
  /** Initializers to train. */
  readonly parameters: readonly string[];
  /** Running statistics that follow the data. */
  readonly statistics: readonly string[];
  readonly profile: Profile;
}

/** Loss, gradients and statistics of one step, by names in the file. */
export interface StepResult {
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly statistics: ReadonlyMap<string, Float32Array>;
}

interface Compiled {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly input: string;
  readonly target: { readonly name: string; readonly shape: readonly number[] };
  /** Names of the fed inputs by names in the file. */
  readonly fed: ReadonlyMap<string, string>;
}

/** -Σ target · log softmax(logits), whose gradient is wholly that of the table. */
function compile({ model, input, parameters, statistics, profile }: TorchSample): Compiled {
  const builder = new GraphBuilder();
  const all = [...parameters, ...statistics];
  const named = model.graph.inputs.flatMap(
    ({ shape }) => shape?.map((size, axis) => [size, input.shape[axis]!] as const) ?? [],
  );
  const dimensions = new Map(
    named.flatMap(([size, value]) => (typeof size === "string" ? [[size, value] as const] : [])),
  );
  const imported = importModel(builder, model, {
    ...{ batchSize: input.shape[0]!, parameters: all, trained: new Set(all), mode: "training", dimensions },
  });
  const algebra = new Algebra(builder);
  const classes = builder.shape(imported.output).at(-1)!;
  const rows = elementCount(builder.shape(imported.output)) / classes;
  const logits = algebra.reshape(imported.output, [rows, classes]);
  const target = builder.input("target", { dtype: "f32", shape: [rows, classes] });
  const logarithms = builder.add("LogSoftmax", [logits], { attributes: { axis: int(1) } });
  const total = algebra.reduce("ReduceSum", algebra.mul(logarithms, target), { axes: [0, 1], keep: false });
  const loss = algebra.apply("Neg", total);
  const inside = parameters.map((name) => imported.parameters.get(name)!);
  const gradients = buildBackward(builder, {
    ...{ output: loss, gradient: builder.numbers("f32", 1), parameters: inside, profile },
  });
  const outputs = new Map([["loss", loss]]);
  parameters.forEach((name, index) => {
    const gradient = gradients.get(inside[index]!);
    if (gradient === undefined) throw new TrainingError("ERR_MODEL_PARAMETERS", `${name} has no gradient`);
    outputs.set(`gradient/${name}`, algebra.apply("Identity", gradient));
  });
  for (const name of statistics) {
    outputs.set(`statistic/${name}`, imported.statistics.get(imported.parameters.get(name)!)!);
  }
  const graph = builder.build("sample", outputs);
  const bytes = writeModel({ irVersion: 9, opset: TARGET_OPSET, producer: "test", graph });
  return {
    bytes,
    input: imported.input,
    target: { name: target, shape: [rows, classes] },
    fed: imported.parameters,
  };
}

/** The mean over the labels that count, as weights of a one-hot row. */
function targetOf(labels: BigInt64Array, classes: number): Float32Array {
  const counted = labels.filter((label) => label >= 0n).length;
  const target = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    if (label >= 0n) target[row * classes + Number(label)] = 1 / counted;
  });
  return target;
}

/** Calls `use` with a function that takes one step from given parameters, on `onnx`. */
export async function withSteps<T>(
  onnx: OnnxRuntime,
  sample: TorchSample,
  use: (step: (values: ReadonlyMap<string, Float32Array>) => Promise<StepResult>) => Promise<T>,
): Promise<T> {
  const { bytes, input, target, fed } = compile(sample);
  const session = await onnx.InferenceSession.create(bytes, {
    executionProviders: [sample.profile],
    intraOpNumThreads: 1,
  });
  const { initializers } = sample.model.graph;
  const tensor = (values: Float32Array | BigInt64Array, shape: readonly number[]): RuntimeTensor =>
    values instanceof Float32Array
      ? new onnx.Tensor("float32", values, shape)
      : new onnx.Tensor("int64", values, shape);
  const constant = {
    [input]: tensor(sample.input.values, sample.input.shape),
    [target.name]: tensor(targetOf(sample.labels, target.shape[1]!), target.shape),
  };
  try {
    return await use(async (values) => {
      const feeds = [...fed].map(([name, inside]) => {
        const { shape, f32 } = initializers.get(name)!;
        return [inside, tensor(values.get(name) ?? new Float32Array(f32), shape)] as const;
      });
      const results = await session.run({ ...constant, ...Object.fromEntries(feeds) });
      const read = (output: string): Float32Array => new Float32Array(results[output]!.data as Float32Array);
      return {
        loss: read("loss")[0]!,
        gradients: new Map(sample.parameters.map((name) => [name, read(`gradient/${name}`)])),
        statistics: new Map(sample.statistics.map((name) => [name, read(`statistic/${name}`)])),
      };
    });
  } finally {
    await session.release();
  }
}

/** The losses before each of `steps` updates by SGD with momentum, as torch.optim.SGD makes them. */
export async function descend(
  step: (values: ReadonlyMap<string, Float32Array>) => Promise<StepResult>,
  start: ReadonlyMap<string, Float32Array>,
  { learningRate, momentum, steps }: { learningRate: number; momentum: number; steps: number },
): Promise<number[]> {
  const values = new Map<string, Float32Array>(
    [...start].map(([name, value]) => [name, new Float32Array(value)]),
  );
  const velocities = new Map([...start].map(([name, value]) => [name, new Float32Array(value.length)]));
  const losses: number[] = [];
  for (let count = 0; count < steps; count++) {
    const { loss, gradients, statistics } = await step(values);
    losses.push(loss);
    for (const [name, gradient] of gradients) {
      const [value, velocity] = [values.get(name)!, velocities.get(name)!];
      gradient.forEach((slope, index) => {
        velocity[index] = momentum * velocity[index]! + slope;
        value[index] = value[index]! - learningRate * velocity[index]!;
      });
    }
    for (const [name, value] of statistics) values.set(name, value);
  }
  return losses;
}
