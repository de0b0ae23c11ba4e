import { TrainingError } from "@photinus/core/errors";
import { elementCount, MAX_RANK, type Tensor } from "@photinus/core/tensor";
import { type Attribute, DEFAULT_MODEL_LIMITS, type Graph, type Node, type Value } from "../onnx/index.ts";
import { asFaultOfTheFile } from "./fault-of-the-file.ts";
import { liveNodes } from "./live-nodes.ts";
import { tensorOf } from "./numbers.ts";
import { OPERATORS } from "./operators/index.ts";
import { shapeSlice } from "./operators/view.ts";
import { describe, type TypedNode, type ValueType } from "./typed-node.ts";
import { remedyFor } from "./unsupported-operators.ts";

/** Tensors above this many elements are not folded: the runtime computes them once per step just as well. */
const MAX_FOLDED_ELEMENTS = 65_536;

/** Elements that all folding together may compute, so that a hostile file cannot keep a site busy. */
const MAX_FOLDED_IN_ALL = 2 ** 23;

/** Options of {@link GraphBuilder.add}. */
export interface AddOptions {
  /** Fixed parameters of the operator. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Base of the name of the first output; made unique. Default: the operator. */
  readonly name?: string;
}

/**
 * Grows a graph node by node. Every value has a known type as soon as it exists, and what is constant is
 * computed at once, so that chains of shape arithmetic vanish while a file is read.
 */
export class GraphBuilder {
  readonly #inputs: Value[] = [];
  readonly #nodes: TypedNode[] = [];
  readonly #types = new Map<string, ValueType>();
  readonly #constants = new Map<string, Tensor>();
  readonly #shared = new Map<string, string>();
  readonly #used = new Map<string, number>();
  #foldedElements = 0;

  /** The nodes so far, in topological order. */
  get nodes(): readonly TypedNode[] {
    return this.#nodes;
  }

  /** Declares what is fed. @returns its name, which is `name` unless that is taken */
  input(name: string, { dtype, shape }: ValueType): string {
    const unique = this.#unique(name);
    this.#define(unique, { dtype, shape }, `input ${name}`);
    this.#inputs.push({ name: unique, dtype, shape });
    return unique;
  }

  /** A constant. @returns its name */
  constant(tensor: Tensor, name = "constant"): string {
    const unique = this.#unique(name);
    this.#define(unique, { dtype: tensor.dtype, shape: tensor.shape }, `constant ${name}`);
    this.#constants.set(unique, tensor);
    return unique;
  }

  /** A constant scalar or list; equal ones are stored once. @returns its name */
  numbers(dtype: "f32" | "i32" | "i64", values: number | readonly number[]): string {
    const key = `${dtype}:${typeof values}:${values}`;
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const list = typeof values === "number" ? [values] : values;
    const name = this.constant(tensorOf(dtype, typeof values === "number" ? [] : [list.length], list));
    this.#shared.set(key, name);
    return name;
  }

  /** A name that no value has, for an output of {@link build}. @returns `base` unless that is taken */
  freeName(base: string): string {
    return this.#unique(base);
  }

  /** The type of a value. @throws RangeError for a name that this builder did not give */
  type(name: string): ValueType {
    const type = this.#types.get(name);
    if (type === undefined) throw new RangeError(`no value ${name}`);
    return type;
  }

  /** The shape of a value. @throws RangeError for a name that this builder did not give */
  shape(name: string): readonly number[] {
    return this.type(name).shape;
  }

  /** The value of `name` if it is constant. */
  constantOf(name: string): Tensor | undefined {
    return this.#constants.get(name);
  }

  /**
   * Adds a node of one output, or only its value when it can be computed now.
   * @returns the name of its first output
   * @throws TrainingError `ERR_MODEL_OPERATOR`, `ERR_MODEL_SHAPE` or `ERR_MODEL_TOO_LARGE`
   */
  add(operator: string, inputs: readonly string[], { attributes = {}, name }: AddOptions = {}): string {
    const [output = ""] = this.addNode({
      name: "",
      operator,
      inputs,
      outputs: [name ?? operator],
      attributes: new Map(Object.entries(attributes)),
    });
    return output;
  }

  /**
   * Adds a node; its outputs get unique names like those it asks for.
   * @returns the names given
   * @throws TrainingError as {@link add}
   */
  addNode(node: Node): readonly string[] {
    const operator = OPERATORS.get(node.operator);
    if (operator === undefined) {
      throw new TrainingError("ERR_MODEL_OPERATOR", `${describe(node)}: ${remedyFor(node.operator)}`);
    }
    const typed = this.typed(node);
    const types = asFaultOfTheFile(node, () => operator.infer(typed));
    const folded = asFaultOfTheFile(node, () => this.#fold(typed, types));
    if (folded !== undefined) return [this.constant(folded, node.outputs[0])];
    const outputs = node.outputs.map((output, index) => {
      const type = types[index];
      if (output === "" || type === undefined) return "";
      const unique = this.#unique(output);
      this.#define(unique, type, describe(node));
      return unique;
    });
    this.#nodes.push({ ...typed, node: { ...node, outputs } });
    return outputs;
  }

  /**
   * The graph that computes `outputs` (name outside -> value inside), without what they do not need.
   * Inputs stay, needed or not: they are the signature.
   * @throws RangeError for an output name that is taken, or for a value that is wanted under two names
   */
  build(name: string, outputs: ReadonlyMap<string, string>): Graph {
    const live = liveNodes(this.#renamed(outputs), [...outputs.keys()]);
    const used = new Set(live.flatMap(({ inputs }) => inputs));
    return {
      name,
      inputs: this.#inputs,
      outputs: [...outputs].map(([outside, inside]) => ({ name: outside, ...this.type(inside) })),
      initializers: new Map([...this.#constants].filter(([constant]) => used.has(constant))),
      nodes: live,
    };
  }

  /** The nodes with the values wanted outside renamed; a copy is made only of what no node computes. */
  #renamed(outputs: ReadonlyMap<string, string>): readonly Node[] {
    const outside = new Map<string, string>();
    for (const [wanted, inside] of outputs) {
      if (this.#types.has(wanted) && wanted !== inside) throw new RangeError(`output ${wanted} is taken`);
      if (outside.has(inside)) throw new RangeError(`${inside} is wanted twice`);
      outside.set(inside, wanted);
    }
    const rename = (value: string): string => outside.get(value) ?? value;
    const computed = new Set(this.#nodes.flatMap(({ node }) => node.outputs));
    const copies = [...outside].filter(([inside]) => !computed.has(inside));
    for (const [inside] of copies) outside.delete(inside);
    const nodes = this.#nodes.map(({ node }) => ({
      ...node,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    }));
    return [...nodes, ...copies.map(([inside, wanted]) => identity(inside, wanted))];
  }

  /** `node`, whose inputs are values of this builder, with what is known of them. */
  typed(node: Node): TypedNode {
    return {
      node,
      inputs: node.inputs.map((input) => (input === "" ? undefined : this.type(input))),
      constants: node.inputs.map((input) => this.#constants.get(input)),
    };
  }

  #fold(typed: TypedNode, [type, ...others]: readonly ValueType[]): Tensor | undefined {
    const { node, inputs, constants } = typed;
    if (type === undefined || others.length > 0) return undefined;
    if (node.operator === "Shape") return tensorOf("i64", type.shape, shapeSlice(typed));
    if (node.operator === "Size") return tensorOf("i64", [], [elementCount(inputs[0]?.shape ?? [])]);
    if (inputs.length === 0) return OPERATORS.get(node.operator)?.fold?.(typed, type); // what a file holds, computed already
    const known = inputs.every((input, index) => input === undefined || constants[index] !== undefined);
    const shapes = [type.shape, ...constants.map((constant) => constant?.shape ?? [0])];
    const counts = shapes.map(elementCount);
    if (!known || counts.some((count) => count > MAX_FOLDED_ELEMENTS)) return undefined;
    this.#foldedElements += counts.reduce((sum, count) => sum + count, 0);
    if (this.#foldedElements > MAX_FOLDED_IN_ALL) return undefined;
    return OPERATORS.get(node.operator)?.fold?.(typed, type);
  }

  #define(name: string, type: ValueType, by: string): void {
    const { maxElements } = DEFAULT_MODEL_LIMITS;
    const elements = type.shape.reduce((product, size) => product * size, 1);
    if (type.shape.length > MAX_RANK || !(elements <= maxElements)) {
      throw new TrainingError("ERR_MODEL_TOO_LARGE", `${by} yields [${type.shape}]`);
    }
    this.#types.set(name, type);
  }

  #unique(base: string): string {
    let count = this.#used.get(base) ?? 0;
    let candidate = count === 0 ? base : `${base}#${count}`;
    // A file may hold names like the ones given here; the count stays where it got to, so that this ends soon.
    while (this.#types.has(candidate)) {
      count++;
      candidate = `${base}#${count}`;
    }
    this.#used.set(base, count + 1);
    return candidate;
  }
}

function identity(input: string, output: string): Node {
  return { name: "", operator: "Identity", inputs: [input], outputs: [output], attributes: new Map() };
}
