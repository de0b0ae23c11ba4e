import type { DType, Tensor } from "@photinus/core/tensor";

/** A dimension: its size, a name that stands for a size ("batch"), or unknown. */
export type Dimension = number | string | undefined;

/** A declared value: input, output or intermediate. */
export interface Value {
  /** Unique within its graph. */
  readonly name: string;
  /** Element type. */
  readonly dtype: DType;
  /** Absent when the file declares no rank. */
  readonly shape: readonly Dimension[] | undefined;
}

/** A parameter of an operator that is fixed in the file. */
export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "graph"; readonly value: Graph }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "texts"; readonly value: readonly string[] };

/** Attributes by name. */
export type Attributes = ReadonlyMap<string, Attribute>;

/** One application of an operator of the default domain. */
export interface Node {
  /** For people; may be empty. */
  readonly name: string;
  /** Operator type, as "Gemm". */
  readonly operator: string;
  /** Names of values; an empty name stands for an optional input left out. */
  readonly inputs: readonly string[];
  /** Names of values; an empty name stands for an output nobody wants. */
  readonly outputs: readonly string[];
  /** Fixed parameters. */
  readonly attributes: Attributes;
}

/** A computation: nodes in topological order, each value assigned once. */
export interface Graph {
  /** For people. */
  readonly name: string;
  /** What is fed; initializers that the file also lists as inputs are left out. */
  readonly inputs: readonly Value[];
  /** What is computed. */
  readonly outputs: readonly Value[];
  /** Weights and constants by name, in the order of the file. */
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** In topological order. */
  readonly nodes: readonly Node[];
}

/** A whole file. */
export interface Model {
  /** Version of the file format. */
  readonly irVersion: number;
  /** Version of the default operator set. */
  readonly opset: number;
  /** Program that wrote the file; may be empty. */
  readonly producer: string;
  /** The computation. */
  readonly graph: Graph;
}

/** The same model with other values of some initializers. */
export function withInitializers(model: Model, values: Iterable<readonly [string, Tensor]>): Model {
  const { graph } = model;
  return { ...model, graph: { ...graph, initializers: new Map([...graph.initializers, ...values]) } };
}

/** An attribute holding one integer. */
export function int(value: number): Attribute {
  return { kind: "int", value };
}

/** An attribute holding one float. */
export function float(value: number): Attribute {
  return { kind: "float", value };
}

/** An attribute holding integers. */
export function ints(value: readonly number[]): Attribute {
  return { kind: "ints", value };
}

/** An attribute holding a string. */
export function text(value: string): Attribute {
  return { kind: "text", value };
}
