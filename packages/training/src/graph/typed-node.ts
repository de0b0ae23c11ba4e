import { TrainingError } from "@photinus/core/errors";
import { type DType, elementCount, MAX_RANK, type Tensor } from "@photinus/core/tensor";
import type { Attribute, Node } from "../onnx/index.ts";
import { numbersOf } from "./numbers.ts";

/** Element type and shape of a value, both known. */
export interface ValueType {
  /** Element type. */
  readonly dtype: DType;
  /** Every dimension is known: a compiled graph has one batch size. */
  readonly shape: readonly number[];
}

/** A node with what is known of its inputs. */
export interface TypedNode {
  /** The node. */
  readonly node: Node;
  /** Types of its inputs; undefined where an optional input is left out. */
  readonly inputs: readonly (ValueType | undefined)[];
  /** Values of those inputs that are constant. */
  readonly constants: readonly (Tensor | undefined)[];
}

/** @throws TrainingError `ERR_MODEL_SHAPE` naming the node */
export function badShape(node: Node, what: string): never {
  throw new TrainingError("ERR_MODEL_SHAPE", `${describe(node)}: ${what}`);
}

/** @throws TrainingError `ERR_MODEL_OPERATOR` naming the node */
export function unsupported(node: Node, what: string): never {
  throw new TrainingError("ERR_MODEL_OPERATOR", `${describe(node)}: ${what}`);
}

/** "Conv (node features.0)" */
export function describe(node: Node): string {
  return `${node.operator} (node ${node.name === "" ? (node.outputs[0] ?? "") : node.name})`;
}

/** The type of input `index`. @throws TrainingError `ERR_MODEL_MALFORMED` when it is left out */
export function inputType(typed: TypedNode, index: number): ValueType {
  const type = typed.inputs[index];
  if (type === undefined) {
    throw new TrainingError("ERR_MODEL_MALFORMED", `${describe(typed.node)} has no input ${index}`);
  }
  return type;
}

/** The value of input `index`. @throws TrainingError `ERR_MODEL_SHAPE` when it is not constant */
export function constantInput(typed: TypedNode, index: number): Tensor {
  return typed.constants[index] ?? badShape(typed.node, `input ${index} must be a constant`);
}

/** Most entries of a list that shapes depend on: one or two per dimension. */
const MAX_LIST_LENGTH = 2 * MAX_RANK;

/**
 * The list that input `index` holds: axes, sizes, pads.
 * @param most entries. Default: as many as shapes can need
 * @throws TrainingError `ERR_MODEL_SHAPE` when it is not constant
 */
export function constantList(
  typed: TypedNode,
  index: number,
  most: number = MAX_LIST_LENGTH,
): readonly number[] {
  const tensor = constantInput(typed, index);
  if (elementCount(tensor.shape) > most) badShape(typed.node, `input ${index} is too long`);
  return numbersOf(tensor);
}

/** What an attribute of each kind holds. */
type AttributeValues = { readonly [Of in Attribute as Of["kind"]]: Of["value"] };

/** The attribute `name` if the node has it. @throws TrainingError `ERR_MODEL_MALFORMED` when it is of another kind */
export function attribute<K extends Attribute["kind"]>(
  { node }: Pick<TypedNode, "node">,
  kind: K,
  name: string,
): AttributeValues[K] | undefined {
  const found = node.attributes.get(name);
  if (found === undefined) return undefined;
  if (found.kind !== kind) {
    throw new TrainingError("ERR_MODEL_MALFORMED", `${describe(node)}: attribute ${name} is no ${kind}`);
  }
  const values: Partial<AttributeValues> = { [found.kind]: found.value };
  return values[kind];
}

/** `axis` counted from the front. @throws TrainingError `ERR_MODEL_SHAPE` outside [-rank, rank) */
export function normalAxis(node: Node, axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) badShape(node, `axis ${axis} of rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

/** The shape that both broadcast to (ONNX, "Broadcasting in ONNX", multidirectional). */
export function broadcast(node: Node, left: readonly number[], right: readonly number[]): number[] {
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, index) => {
    const a = left[index - rank + left.length] ?? 1;
    const b = right[index - rank + right.length] ?? 1;
    if (a !== b && a !== 1 && b !== 1) badShape(node, `[${left}] and [${right}] do not broadcast`);
    return a === 1 ? b : a;
  });
}

/** True for the same dimensions. */
export function equalShapes(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((dimension, index) => dimension === right[index]);
}
