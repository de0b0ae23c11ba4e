import { Tensor } from "@photinus/core/tensor";
import {
  type BenchModelName,
  benchModel,
  compileStep,
  createRuntime,
  type Dataset,
  floatsOf,
  type Node,
  type OnnxRuntime,
  parameterTable,
  type Runtime,
  readModel,
  StepSession,
  seededRandom,
  type Tensors,
  writeModel,
} from "@photinus/training";
import * as onnxNode from "onnxruntime-node";
import type { BenchmarkOptions, BenchmarkResult, Metric } from "./benchmark.ts";
import { heavyNodes } from "./heavy-nodes.ts";
import { comparePairs, cpuMs, distributionOf, type Work, wallMs } from "./paired.ts";

const BATCH_SIZE = 64;
const PAIRS = 15;

/** One model on one runtime. */
interface Setting {
  readonly model: BenchModelName;
  readonly runtime: Runtime;
  /** Steps per measurement: a tenth of a second or more. */
  readonly steps: number;
  /** Keys of the two figures. */
  readonly keys: readonly [ratio: string, stepsPerSecond: string];
}

const HEAVY: Readonly<Record<BenchModelName, ReadonlySet<string>>> = {
  mlp: new Set(["Gemm", "MatMul"]),
  cnn: new Set(["Conv", "ConvTranspose"]),
};

/**
 * Whole training steps (forward, loss, gradients, SGD with momentum, states in and out) against one session that does
 * only the step's products: for `mlp` its matrix products, for `cnn` its convolutions. One thread, CPU time, pairs.
 */
export async function run({ log, signal }: BenchmarkOptions): Promise<BenchmarkResult> {
  const cpu = createRuntime(onnxNode, { device: "cpu", threads: 1, writesInPlace: true });
  const metrics: Record<string, Metric> = {};
  const measureAll = async (settings: readonly Setting[]): Promise<void> => {
    for (const setting of settings) {
      signal.throwIfAborted();
      log(`${setting.model} on ${setting.runtime.device}`);
      Object.assign(metrics, await measure(setting, signal));
    }
  };
  await measureAll([
    { model: "cnn", runtime: cpu, steps: 25, keys: ["cnnGemmRatio", "cnnStepsPerSecond"] },
    { model: "mlp", runtime: cpu, steps: 250, keys: ["mlpGemmRatio", "mlpStepsPerSecond"] },
  ]);
  log("compiling a model of 100 MB");
  Object.assign(metrics, { compileSeconds: await compileLarge() });
  const wasm = await wasmRuntime();
  await measureAll([
    { model: "cnn", runtime: wasm, steps: 8, keys: ["wasmCnnGemmRatio", "wasmCnnStepsPerSecond"] },
    { model: "mlp", runtime: wasm, steps: 50, keys: ["wasmMlpGemmRatio", "wasmMlpStepsPerSecond"] },
  ]);
  return { benchmark: "train", metrics };
}

/** Ten layers of 1600 x 1600 weights: reading, differentiating and writing them, from the bytes of the file. */
async function compileLarge(): Promise<Metric> {
  const width = 1600;
  const layers = Array.from({ length: 10 }, (_, layer) => layer);
  const nodes = layers.flatMap((layer) => [
    nodeOf("MatMul", [layer === 0 ? "x" : `y${layer - 1}`, `w${layer}`], `a${layer}`),
    nodeOf("Relu", [`a${layer}`], `y${layer}`),
  ]);
  const weights = new Float32Array(width * width).fill(0.01);
  const file = writeModel({
    ...{ irVersion: 9, opset: 20, producer: "" },
    graph: {
      name: "",
      inputs: [{ name: "x", dtype: "f32", shape: ["batch", width] }],
      outputs: [{ name: `y${layers.length - 1}`, dtype: "f32", shape: undefined }],
      initializers: new Map(layers.map((layer) => [`w${layer}`, Tensor.f32([width, width], weights)])),
      nodes,
    },
  });
  const times: number[] = [];
  for (let repetition = 0; repetition < 5; repetition++) {
    const time = await wallMs(() => {
      const model = readModel(file);
      compileStep(model, {
        parameters: parameterTable(model),
        loss: "cross-entropy",
        optimizer: { name: "sgd", momentum: 0.9 },
        batchSize: BATCH_SIZE,
        profile: "cpu",
      });
    });
    times.push(time / 1000);
  }
  const { median, spread } = distributionOf(times);
  return { value: median, unit: "s", spread };
}

function nodeOf(operator: string, inputs: readonly string[], output: string): Node {
  return { name: "", operator, inputs, outputs: [output], attributes: new Map() };
}

async function wasmRuntime(): Promise<Runtime> {
  const onnx = await import("onnxruntime-web");
  onnx.env.wasm.numThreads = 1;
  return createRuntime(onnx as OnnxRuntime, { device: "wasm", threads: 1 });
}

async function measure(
  { model, runtime, steps, keys: [ratioKey, speedKey] }: Setting,
  signal: AbortSignal,
): Promise<Record<string, Metric>> {
  const { model: file, parameters, initialParameters } = benchModel(model, 1);
  const compiled = compileStep(readModel(file), {
    parameters,
    loss: "cross-entropy",
    optimizer: { name: "sgd", momentum: 0.9 },
    batchSize: BATCH_SIZE,
    profile: runtime.device,
  });
  const session = await StepSession.open(runtime, compiled);
  session.start(initialParameters);
  session.batch.fill(
    noise(),
    Uint32Array.from({ length: BATCH_SIZE }, (_, index) => index),
  );
  const step: Work = async () => {
    for (let index = 0; index < steps; index++) await session.step(1e-4);
  };
  const heavy = heavyNodes(compiled, HEAVY[model]);
  const heavySession = await runtime.open(heavy.model, []);
  // Where the memory of the tensors happens to lie makes a fifth of a difference: the reference is the best of several.
  const candidates = [1, 2, 3, 4].map((variant): Work => {
    const feeds = tensorsOf(runtime, heavy.inputs);
    const into = runtime.writesInPlace && variant % 2 === 0 ? tensorsOf(runtime, heavy.outputs) : undefined;
    return async () => {
      for (let index = 0; index < steps; index++) await heavySession.run(feeds, into);
    };
  });
  const products = await fastest(candidates);
  const { ratio } = await comparePairs(step, products, { pairs: PAIRS, warmUps: 2, signal });
  const times: number[] = [];
  for (let repetition = 0; repetition < 9; repetition++) times.push(await wallMs(step));
  const time = distributionOf(times);
  await session.close();
  await heavySession.close();
  return {
    [ratioKey]: { value: ratio.median, unit: "x", spread: ratio.spread },
    [speedKey]: { value: (1000 * steps) / time.median, unit: "steps/s", spread: time.spread },
  };
}

async function fastest(works: readonly Work[]): Promise<Work> {
  const costs: number[] = [];
  for (const work of works) {
    await work();
    costs.push(Math.min(await cpuMs(work), await cpuMs(work)));
  }
  return works[costs.indexOf(Math.min(...costs))] ?? (() => undefined);
}

function tensorsOf(runtime: Runtime, shapes: ReadonlyMap<string, readonly number[]>): Tensors {
  const random = seededRandom(2);
  return Object.fromEntries(
    [...shapes].map(([name, shape]) => {
      const size = shape.reduce((product, dimension) => product * dimension, 1);
      return [
        name,
        runtime.tensor(
          Float32Array.from({ length: size }, () => random.normal()),
          shape,
        ),
      ];
    }),
  );
}

/** Examples of normal noise: the speed of a step does not depend on what it learns. */
function noise(): Dataset {
  const random = seededRandom(3);
  return {
    count: BATCH_SIZE,
    features: [{ name: "image", dtype: "f32", shape: [1, 28, 28] }],
    labelling: { kind: "classes", classCount: 10, shape: [] },
    read: (indices, into) => {
      const examples = floatsOf(into, 0);
      examples.forEach((_, index) => {
        examples[index] = random.normal();
      });
      indices.forEach((index, row) => {
        into.labels[row] = index % 10;
      });
    },
  };
}
