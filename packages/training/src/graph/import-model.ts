import { TrainingError } from "@photinus/core/errors";
import type { Dimension, Graph, Model, Node, Value } from "../onnx/index.ts";
import { addForward } from "./add-forward.ts";
import type { GraphBuilder } from "./builder.ts";
import type { LoweringContext } from "./lowering/index.ts";
import { numbersOf } from "./numbers.ts";
import { addToSequences, type Sequences } from "./sequences.ts";
import { attribute, describe, unsupported, type ValueType } from "./typed-node.ts";

/** How a forward model is taken into a graph. */
export interface ImportOptions {
  /** Size of the first dimension of the first input; every input whose first dimension has the same name gets it. */
  readonly batchSize: number;
  /** Initializers that become inputs, in this order; all others become constants. */
  readonly parameters: readonly string[];
  /** Sizes of other dimensions that the file names, as "sequence". */
  readonly dimensions?: ReadonlyMap<string, number>;
  /** Those of `parameters` that training changes. Default: none. */
  readonly trained?: ReadonlySet<string>;
  /** In evaluation, Dropout does nothing and BatchNormalization uses its running statistics. Default: evaluation. */
  readonly mode?: "training" | "evaluation";
  /** Told of each node that is refused, instead of an error; what needs it is left out. */
  readonly onRefused?: (node: Node, error: TrainingError) => void;
}

/** An input that is fed a fresh mask every step. */
export interface DropoutMask {
  /** Its name in the graph. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** Probability of 0; the other elements are 1 / (1 - ratio). */
  readonly ratio: number;
}

/** Where the parts of a forward model are in the graph. */
export interface ImportedModel {
  /** The first input. */
  readonly input: string;
  /** All inputs, by names in the file. */
  readonly inputs: ReadonlyMap<string, string>;
  /** The first output: the logits. */
  readonly output: string;
  /** Names in the graph by names in the file. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Values after a step of those parameters that are running statistics, by their names in the graph. */
  readonly statistics: ReadonlyMap<string, string>;
  /** What Dropout is fed, in the order of the nodes. */
  readonly masks: readonly DropoutMask[];
}

/**
 * Adds the nodes of a forward model to `builder`, its batch dimension bound.
 * @throws TrainingError `ERR_MODEL_OPERATOR`, `ERR_MODEL_SHAPE`, or `ERR_MODEL_PARAMETERS` for a parameter that the
 *   model does not have
 */
export function importModel(builder: GraphBuilder, model: Model, options: ImportOptions): ImportedModel {
  const { graph } = model;
  const [first] = graph.inputs;
  const [output] = graph.outputs;
  if (first === undefined || output === undefined) {
    throw new TrainingError("ERR_MODEL_SHAPE", "the model has no input or no output");
  }
  const names = new Map<string, string>();
  for (const input of graph.inputs) {
    names.set(input.name, builder.input(input.name, bindInput(input, { first, ...options })));
  }
  const inputs = new Map(names);
  const parameters = importParameters(builder, model, options.parameters);
  const statistics = new Map<string, string>();
  const masks: DropoutMask[] = [];
  const trained = new Set([...(options.trained ?? [])].map((name) => parameters.get(name)));
  const lowering: LoweringContext = {
    opset: model.opset,
    mode: options.mode ?? "evaluation",
    isTrained: (value) => trained.has(value),
    updateStatistic: (statistic, updated) => {
      if (trained.has(statistic)) statistics.set(statistic, updated);
    },
    mask: (shape, ratio) => {
      const name = builder.input("photinus/dropout", { dtype: "f32", shape });
      masks.push({ name, shape, ratio });
      return name;
    },
  };
  const state: ImportState = { names, sequences: new Map(), lowering, refuse: options.onRefused };
  importGraph(builder, { ...graph, initializers: withParameters(builder, graph, parameters) }, state);
  const found = options.onRefused === undefined ? lookUp(names, output.name) : (names.get(output.name) ?? "");
  return { input: lookUp(names, first.name), inputs, output: found, parameters, statistics, masks };
}

function bindInput(
  { name, dtype, shape }: Value,
  { first, batchSize, dimensions }: { first: Value } & Pick<ImportOptions, "batchSize" | "dimensions">,
): ValueType {
  const batch = first.shape?.[0];
  if (shape === undefined || (shape.length === 0 && first.name === name)) {
    throw new TrainingError("ERR_MODEL_SHAPE", `input ${name} has no batch dimension`);
  }
  const isBatch = (size: Dimension, axis: number): boolean =>
    (axis === 0 && (first.name === name || size === batch)) || (typeof size === "string" && size === batch);
  const bound = shape.map((size, axis) => {
    if (isBatch(size, axis)) return batchSize;
    const known = typeof size === "string" ? dimensions?.get(size) : size;
    if (known === undefined) {
      const called = typeof size === "string" ? ` (${size})` : "";
      throw new TrainingError(
        "ERR_MODEL_SHAPE",
        `dimension ${axis}${called} of input ${name} is not fixed: export the model with a size for it`,
      );
    }
    return known;
  });
  return { dtype, shape: bound };
}

function importParameters(
  builder: GraphBuilder,
  { graph }: Model,
  wanted: readonly string[],
): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const name of wanted) {
    const tensor = graph.initializers.get(name);
    if (tensor === undefined) {
      throw new TrainingError("ERR_MODEL_PARAMETERS", `the model has no parameter ${name}`);
    }
    if (tensor.dtype !== "f32") {
      const what = `parameter ${name} is ${tensor.dtype}: only f32 is trained, keep it out of the table`;
      throw new TrainingError("ERR_MODEL_PARAMETERS", what);
    }
    parameters.set(name, builder.input(name, { dtype: tensor.dtype, shape: tensor.shape }));
  }
  return parameters;
}

/** Names of the initializers that are parameters lead to inputs, those of the others to constants. */
function withParameters(
  builder: GraphBuilder,
  { initializers }: Graph,
  parameters: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Map(
    [...initializers].map(([name, tensor]) => [name, parameters.get(name) ?? builder.constant(tensor, name)]),
  );
}

interface ImportState {
  /** Names in the graph by names in the file; those of the graphs around a subgraph included. */
  readonly names: Map<string, string>;
  /** Sequences by names in the file: what their elements are is known while a model is read. */
  readonly sequences: Sequences;
  readonly lowering: LoweringContext;
  readonly refuse: ImportOptions["onRefused"];
}

function importGraph(
  builder: GraphBuilder,
  graph: { readonly nodes: readonly Node[]; readonly initializers: ReadonlyMap<string, string> },
  state: ImportState,
): void {
  for (const [name, inside] of graph.initializers) state.names.set(name, inside);
  for (const node of graph.nodes) {
    if (state.refuse === undefined) importNode(builder, node, state);
    else tryNode(builder, node, { ...state, refuse: state.refuse });
  }
}

/** A node that needs what was refused is not refused itself. */
function tryNode(builder: GraphBuilder, node: Node, state: ImportState & Required<ImportState>): void {
  const { names, sequences } = state;
  if (node.inputs.some((input) => input !== "" && !names.has(input) && !sequences.has(input))) return;
  try {
    importNode(builder, node, state);
  } catch (error) {
    if (!(error instanceof TrainingError)) throw error;
    state.refuse?.(node, error);
  }
}

function importNode(builder: GraphBuilder, node: Node, state: ImportState): void {
  const { names, sequences, lowering } = state;
  if (node.operator === "If") {
    importBranch(builder, node, state);
    return;
  }
  const look = (name: string): string => lookUp(names, name);
  if (addToSequences(node, { builder, sequences, names, look, context: lowering })) return;
  const inputs = node.inputs.map((input) => (input === "" ? "" : look(input)));
  const given = addForward(builder, { ...node, inputs }, lowering);
  node.outputs.forEach((output, index) => {
    const name = given[index];
    if (output !== "" && name !== undefined && name !== "") names.set(output, name);
  });
}

/** The branch that the condition, which must be known by now, chooses; its nodes stand where the If stood. */
function importBranch(builder: GraphBuilder, node: Node, state: ImportState): void {
  const condition = builder.constantOf(lookUp(state.names, node.inputs[0] ?? ""));
  if (condition === undefined) {
    unsupported(node, "its condition depends on the data: export the model without it, as by torch.where");
  }
  const [truth] = numbersOf(condition);
  const branch = attribute({ node }, "graph", truth === 0 ? "else_branch" : "then_branch");
  if (branch === undefined)
    throw new TrainingError("ERR_MODEL_MALFORMED", `${describe(node)} lacks a branch`);
  // Names of the branch do not leave it.
  const inner: ImportState = { ...state, names: new Map(state.names), sequences: new Map(state.sequences) };
  importGraph(builder, { ...branch, initializers: withParameters(builder, branch, new Map()) }, inner);
  node.outputs.forEach((output, index) => {
    const result = branch.outputs[index]?.name;
    const name = result === undefined ? undefined : inner.names.get(result);
    if (output !== "" && name !== undefined) state.names.set(output, name);
  });
}

function lookUp(names: ReadonlyMap<string, string>, name: string): string {
  const found = names.get(name);
  if (found === undefined) throw new TrainingError("ERR_MODEL_MALFORMED", `${name} is never computed`);
  return found;
}
