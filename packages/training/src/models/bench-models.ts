import type { Bytes } from "@photinus/core/bytes";
import type { ParameterDescriptor, ParameterSet } from "@photinus/core/tensor";
import { type Attribute, float, int, ints, type Node, writeModel } from "../onnx/index.ts";
import { initializeParameters } from "./initialize.ts";

/** Names of the models that demos and benches train on MNIST. */
export type BenchModelName = "mlp" | "cnn";

interface Layer {
  readonly operator: string;
  /** Shapes of the weights and of the bias, if the layer has them. */
  readonly parameters?: readonly [weights: readonly number[], bias: readonly number[]];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

const dense = (outputs: number, inputs: number): Layer => ({
  operator: "Gemm",
  parameters: [[outputs, inputs], [outputs]],
  attributes: { alpha: float(1), beta: float(1), transB: int(1) },
});

const conv3x3 = (maps: number, channels: number): Layer => ({
  operator: "Conv",
  parameters: [[maps, channels, 3, 3], [maps]],
  attributes: {
    dilations: ints([1, 1]),
    group: int(1),
    kernel_shape: ints([3, 3]),
    pads: ints([0, 0, 0, 0]),
    strides: ints([1, 1]),
  },
});

const relu: Layer = { operator: "Relu" };
const flatten: Layer = { operator: "Flatten", attributes: { axis: int(1) } };
const maxPool2: Layer = {
  operator: "MaxPool",
  attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) },
};

const LAYERS: Readonly<Record<BenchModelName, readonly Layer[]>> = {
  mlp: [flatten, dense(256, 784), relu, dense(10, 256)],
  cnn: [conv3x3(16, 1), relu, maxPool2, conv3x3(32, 16), relu, maxPool2, flatten, dense(10, 800)],
};

/** A forward model and where it starts from. */
export interface BenchModel {
  /** ONNX file: image [batch, 1, 28, 28] to logits [batch, 10]. */
  readonly model: Bytes;
  /** Its parameter table. */
  readonly parameters: readonly ParameterDescriptor[];
  /** The values inside `model`. */
  readonly initialParameters: ParameterSet;
}

/**
 * `mlp`: 784-256-10. `cnn`: Conv16 3x3, ReLU, MaxPool2, Conv32 3x3, ReLU, MaxPool2, Flatten 800, Gemm 10. The
 * parameters have the names that PyTorch gives the layers of a Sequential.
 *
 * @param seed unsigned 32-bit integer of the initial values
 */
export function benchModel(name: BenchModelName, seed: number): BenchModel {
  const layers = LAYERS[name];
  const parameters = layers.flatMap((layer, index) => describeParameters(layer, index));
  const initialParameters = initializeParameters(parameters, seed);
  const graph = {
    name,
    inputs: [{ name: "image", dtype: "f32", shape: ["batch", 1, 28, 28] }],
    outputs: [{ name: "logits", dtype: "f32", shape: ["batch", 10] }],
    initializers: new Map(initialParameters.entries()),
    nodes: layers.map((layer, index) => nodeOf(layer, { index, last: index === layers.length - 1 })),
  } as const;
  const model = writeModel({ irVersion: 9, opset: 20, producer: "photinus", graph });
  return { model, parameters, initialParameters };
}

function describeParameters({ parameters }: Layer, index: number): readonly ParameterDescriptor[] {
  if (parameters === undefined) return [];
  const [weights, bias] = parameters;
  return [
    { name: `${index}.weight`, dtype: "f32", shape: weights, trainable: true },
    { name: `${index}.bias`, dtype: "f32", shape: bias, trainable: true },
  ];
}

function nodeOf(layer: Layer, { index, last }: { index: number; last: boolean }): Node {
  const own = layer.parameters === undefined ? [] : [`${index}.weight`, `${index}.bias`];
  return {
    name: `${index}`,
    operator: layer.operator,
    inputs: [index === 0 ? "image" : `${index - 1}.out`, ...own],
    outputs: [last ? "logits" : `${index}.out`],
    attributes: new Map(Object.entries(layer.attributes ?? {})),
  };
}
