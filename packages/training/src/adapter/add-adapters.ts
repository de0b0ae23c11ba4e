import { type ParameterDescriptor, ParameterSet, Tensor } from "@photinus/core/tensor";
import { attribute, tensorOf } from "../graph/index.ts";
import type { Attribute, Model, Node } from "../onnx/index.ts";
import { seededRandom } from "../random.ts";
import { type AdaptedWeight, type AdapterOptions, adaptedWeights, scaleOf } from "./adapted-weights.ts";

/** A model whose adapters are trained, and nothing else. */
export interface AdaptedModel {
  /** The forward graph: the file's own weights are constants in it, so that they travel with it once. */
  readonly model: Model;
  /** The parameter table: two matrices for each weight, all trainable. */
  readonly parameters: readonly ParameterDescriptor[];
  /** Their values at the start, with which the model computes what it did without them. */
  readonly initialParameters: ParameterSet;
}

/** Names of the two matrices of a weight, as peft gives them. */
export function adapterNames(weight: string): readonly [first: string, second: string] {
  return [`${weight}.lora_A`, `${weight}.lora_B`];
}

/**
 * Gives weights adapters of low rank (Hu et al. 2022, section 4.1): x · W becomes x · W + (α / r) · (x · A) · B, with A
 * [in, r] uniform in ±1 / √in as peft draws it, and B [r, out] of zeros. Only A and B are parameters of the result: of a
 * job with it, only they travel in rounds.
 *
 * @param seed of A, an unsigned 32-bit integer: the same model, options and seed give the same adapters everywhere
 * @throws TrainingError `ERR_MODEL_PARAMETERS` when no weight, or not the named one, can have an adapter; RangeError for a
 *   rank or α outside its range
 */
export function addAdapters(model: Model, options: AdapterOptions, seed: number): AdaptedModel {
  const scale = scaleOf(options);
  const weights = adaptedWeights(model, options);
  const { graph } = model;
  const names = new Names(model);
  const replaced = new Map(
    weights.flatMap((weight) =>
      weight.products.map(({ node }) => [node, adapted(node, { weight, scale, names })] as const),
    ),
  );
  const initialParameters = drawAdapters(weights, options.rank, seed);
  const frozen = [...graph.initializers].filter(([, { dtype }]) => dtype === "f32");
  const kept = [...graph.initializers].filter(([, { dtype }]) => dtype !== "f32");
  const constants = frozen.map(([name, value]) => constantNode(name, value));
  return {
    model: {
      ...model,
      graph: {
        ...graph,
        initializers: new Map([...initialParameters.entries(), ...kept]),
        nodes: [...constants, ...graph.nodes.flatMap((node) => replaced.get(node) ?? [node])],
      },
    },
    parameters: initialParameters
      .entries()
      .map(([name, { dtype, shape }]) => ({ name, dtype, shape, trainable: true })),
    initialParameters,
  };
}

function drawAdapters(weights: readonly AdaptedWeight[], rank: number, seed: number): ParameterSet {
  const random = seededRandom(seed);
  return new ParameterSet(
    weights.flatMap(({ name, inputs, outputs }) => {
      const [first, second] = adapterNames(name);
      const bound = 1 / Math.sqrt(inputs);
      const values = Float32Array.from({ length: inputs * rank }, () => bound * (2 * random.uniform() - 1));
      return [
        [first, Tensor.f32([inputs, rank], values)] as const,
        [second, Tensor.f32([rank, outputs], new Float32Array(rank * outputs))] as const,
      ];
    }),
  );
}

interface Adaptation {
  readonly weight: AdaptedWeight;
  readonly scale: number;
  readonly names: Names;
}

/** The node, and beside it the way through the adapter. */
function adapted(node: Node, { weight, scale, names }: Adaptation): readonly Node[] {
  const [input = ""] = node.inputs;
  const [output = ""] = node.outputs;
  const [first, second] = adapterNames(weight.name);
  const alpha = node.operator === "Gemm" ? (attribute({ node }, "float", "alpha") ?? 1) : 1;
  const [base, low, high, factor, scaled] = ["base", "low", "high", "factor", "scaled"].map((part) =>
    names.fresh(`${output}/${part}`),
  ) as [string, string, string, string, string]; // five names give five
  return [
    { ...node, outputs: [base] },
    plainNode("MatMul", [input, first], low),
    plainNode("MatMul", [low, second], high),
    constantNode(factor, tensorOf("f32", [], [scale * alpha])),
    plainNode("Mul", [high, factor], scaled),
    plainNode("Add", [base, scaled], output),
  ];
}

function plainNode(operator: string, inputs: readonly string[], output: string): Node {
  return { name: "", operator, inputs, outputs: [output], attributes: new Map() };
}

function constantNode(name: string, value: Tensor): Node {
  const attributes = new Map<string, Attribute>([["value", { kind: "tensor", value }]]);
  return { name: "", operator: "Constant", inputs: [], outputs: [name], attributes };
}

/** Names that nothing in the model has. */
class Names {
  readonly #taken: Set<string>;

  constructor({ graph }: Model) {
    const values = graph.nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]);
    this.#taken = new Set([...values, ...graph.initializers.keys()]);
  }

  fresh(base: string): string {
    let name = base;
    while (this.#taken.has(name)) name = `${name}'`;
    this.#taken.add(name);
    return name;
  }
}
