// What the tests of LocalTrainer are made of: points in two classes, a linear model, a job.
import type { Clock } from "@photinus/core/platform";
import type { TrainerJob } from "@photinus/core/site";
import { type ParameterSet, Tensor } from "@photinus/core/tensor";
import { type Dataset, floatsOf } from "../../src/data/index.ts";
import { initializeParameters } from "../../src/models/index.ts";
import { type Attribute, int, type Node, writeModel } from "../../src/onnx/index.ts";
import { seededRandom } from "../../src/random.ts";
import { LocalTrainer, type LocalTrainerModules } from "../../src/trainer/index.ts";
import { cpuRuntime } from "../reference/onnx-runtime.ts";

/** Never aborted. */
export const { signal } = new AbortController();

/** A clock on which 100 ms pass with every look at it, so that reports and turns come often. */
export function aClock(): Clock {
  let now = 0;
  return {
    now: () => {
      now += 100;
      return now;
    },
    after: () => ({ cancel: () => undefined }),
    yield: async () => undefined,
  };
}

/** Points of two classes, at (1, 1) and (-1, -1) with noise. */
export function points(count: number, seed: number, classCount = 2): Dataset {
  const random = seededRandom(seed);
  const labels = Array.from({ length: count }, () => random.below(2));
  const values = labels.flatMap((label) => [0, 1].map(() => (label === 0 ? 1 : -1) + 0.3 * random.normal()));
  return {
    count,
    features: [{ name: "x", dtype: "f32", shape: [2] }],
    labelling: { kind: "classes", classCount, shape: [] },
    read: (indices, into) => {
      indices.forEach((index, row) => {
        into.labels[row] = labels[index]!;
        floatsOf(into, 0).set(values.slice(2 * index, 2 * index + 2), 2 * row);
      });
    },
  };
}

export const table = [
  { name: "w", dtype: "f32", shape: [2, 2], trainable: true },
  { name: "b", dtype: "f32", shape: [2], trainable: true },
] as const;
export const initial = initializeParameters(table, 5);

export function aModel(operator = "Gemm", attributes: readonly [string, Attribute][] = [["transB", int(1)]]) {
  const node: Node = {
    name: "classify",
    operator,
    inputs: ["x", "w", "b"],
    outputs: ["y"],
    attributes: new Map(attributes),
  };
  return writeModel({
    irVersion: 9,
    opset: 20,
    producer: "test",
    graph: {
      name: "test",
      inputs: [{ name: "x", dtype: "f32", shape: ["batch", 2] }],
      outputs: [{ name: "y", dtype: "f32", shape: ["batch", 2] }],
      initializers: new Map(initial.entries()),
      nodes: [node],
    },
  });
}

export function aJob(changes: Partial<TrainerJob> = {}, learningRate = 0.1): TrainerJob {
  const optimizer = { name: "sgd", learningRate, momentum: 0.9 } as const;
  const training = { loss: "cross-entropy", optimizer, batchSize: 16, localEpochs: 2 } as const;
  return { jobId: "job", dataName: "points", training, model: aModel(), parameters: table, ...changes };
}

export function aTrainer(changes: Partial<LocalTrainerModules> = {}): LocalTrainer {
  return new LocalTrainer({
    runtimes: { candidates: [{ device: "cpu", find: async () => cpuRuntime() }], take: "first" },
    data: async () => ({ training: points(100, 1), heldOut: points(30, 2) }),
    clock: aClock(),
    ...changes,
  });
}

/** `received` + `delta`. */
export function moved(received: ParameterSet, delta: ParameterSet): ParameterSet {
  const entries = received.entries().map(([name, { shape, f32 }]) => {
    const change = delta.get(name)?.f32;
    return [
      name,
      Tensor.f32(
        shape,
        f32.map((value, index) => value + (change?.[index] ?? 0)),
      ),
    ] as const;
  });
  return new (received.constructor as typeof ParameterSet)(entries);
}
