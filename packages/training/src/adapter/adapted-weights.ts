import { TrainingError } from "@photinus/core/errors";
import { matchesPattern } from "@photinus/core/tensor";
import { attribute } from "../graph/index.ts";
import type { Graph, Model, Node } from "../onnx/index.ts";

/** Which weights get adapters. */
export interface AdapterOptions {
  /** Columns of the first matrix and rows of the second, 1 to 1 024: r in the paper. */
  readonly rank: number;
  /** What the product of both is multiplied with, over `rank`: α in the paper. Default: `rank`, for a factor of 1. */
  readonly alpha?: number;
  /** Names of weights, or parts of them with `*` for the rest. Default: every weight of MatMul and Gemm that can have one. */
  readonly targets?: readonly string[];
}

/** A product of an activation and a weight: x · W, or x · Wᵀ. */
export interface Product {
  /** MatMul or Gemm. */
  readonly node: Node;
  /** Whether the file holds the weight as [out, in]. */
  readonly isTransposed: boolean;
}

/** A weight with the products that it is used in. */
export interface AdaptedWeight {
  /** Its name in the file. */
  readonly name: string;
  /** Rows of x · W. */
  readonly inputs: number;
  /** Columns of x · W. */
  readonly outputs: number;
  /** Whether the file holds it as [out, in]. */
  readonly isTransposed: boolean;
  /** Every use. */
  readonly products: readonly Product[];
}

const MAX_ADAPTER_RANK = 1024;

/** α / r @throws RangeError for a rank or α outside its range */
export function scaleOf({ rank, alpha = rank }: AdapterOptions): number {
  if (!Number.isSafeInteger(rank) || rank < 1 || rank > MAX_ADAPTER_RANK) {
    throw new RangeError(`the rank of an adapter is 1 to ${MAX_ADAPTER_RANK} (got ${rank})`);
  }
  if (!Number.isFinite(alpha) || alpha <= 0) throw new RangeError(`alpha is greater than 0 (got ${alpha})`);
  return alpha / rank;
}

/**
 * The weights that get adapters, in the order of the file: f32 matrices whose every use is x · W, or every use x · Wᵀ.
 * Of another use, as in an embedding, a merged weight would change that, too.
 * @throws TrainingError `ERR_MODEL_PARAMETERS` when there is none, or a target names one that cannot have an adapter
 */
export function adaptedWeights({ graph }: Model, { targets }: AdapterOptions): readonly AdaptedWeight[] {
  const weights: AdaptedWeight[] = [];
  for (const name of graph.initializers.keys()) {
    const isNamed = targets?.includes(name) ?? false;
    if (targets !== undefined && !targets.some((target) => matchesPattern(target, name))) continue;
    const weight = asProducts(graph, name);
    if (weight !== undefined) weights.push(weight);
    else if (isNamed) refuse(`${name} is not only a matrix that activations are multiplied with`);
  }
  const missing = targets?.find((target) => !weights.some(({ name }) => matchesPattern(target, name)));
  if (missing !== undefined) refuse(`no weight that can have an adapter is named ${missing}`);
  if (weights.length === 0) refuse("the model has no weight that can have an adapter");
  return weights;
}

function refuse(what: string): never {
  throw new TrainingError("ERR_MODEL_PARAMETERS", what);
}

function asProducts(graph: Graph, name: string): AdaptedWeight | undefined {
  const tensor = graph.initializers.get(name);
  const [rows, columns] = tensor?.shape ?? [];
  if (tensor?.dtype !== "f32" || tensor.shape.length !== 2 || rows === undefined || columns === undefined)
    return undefined;
  const products = usesOf(graph, name, false);
  const [first] = products ?? [];
  if (products === undefined || first === undefined) return undefined;
  const { isTransposed } = first;
  if (products.some((product) => product.isTransposed !== isTransposed)) return undefined;
  const [inputs, outputs] = isTransposed ? [columns, rows] : [rows, columns];
  return { name, inputs, outputs, isTransposed, products };
}

/** Every use of a matrix, seen through transpositions; undefined when one is no product. */
function usesOf(graph: Graph, value: string, isTransposed: boolean): readonly Product[] | undefined {
  if (graph.outputs.some(({ name }) => name === value)) return undefined;
  const products: Product[] = [];
  for (const node of graph.nodes) {
    if (usedInside(node, value)) return undefined;
    if (!node.inputs.includes(value)) continue;
    if (node.operator === "Transpose") {
      const behind = usesOf(graph, node.outputs[0] ?? "", !isTransposed);
      if (behind === undefined) return undefined;
      products.push(...behind);
      continue;
    }
    const product = productOf(node, value, isTransposed);
    if (product === undefined) return undefined;
    products.push(product);
  }
  return products;
}

function productOf(node: Node, value: string, isTransposed: boolean): Product | undefined {
  if (node.inputs[1] !== value || node.inputs.filter((input) => input === value).length !== 1)
    return undefined;
  if (node.operator === "MatMul") return { node, isTransposed };
  if (node.operator !== "Gemm" || attribute({ node }, "int", "transA") === 1) return undefined;
  return { node, isTransposed: isTransposed !== (attribute({ node }, "int", "transB") === 1) };
}

/** Branches of an If see the values around them. */
function usedInside({ attributes }: Node, value: string): boolean {
  return [...attributes.values()].some(
    (given) =>
      given.kind === "graph" &&
      given.value.nodes.some((node) => node.inputs.includes(value) || usedInside(node, value)),
  );
}
