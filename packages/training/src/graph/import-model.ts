import { TrainingError } from "@photinus/core/errors";
import type { Model, Node, Value } from "../onnx/index.ts";
import type { GraphBuilder } from "./builder.ts";
import { normalize } from "./normalize.ts";
import type { ValueType } from "./typed-node.ts";

/** How a forward model is taken into a graph. */
export interface ImportOptions {
  /** Size of the first dimension of the input. */
  readonly batchSize: number;
  /** Initializers that become inputs, in this order; all others become constants. */
  readonly parameters: readonly string[];
}

/** Where the parts of a forward model are in the graph. */
export interface ImportedModel {
  /** The one input. */
  readonly input: string;
  /** The first output: the logits. */
  readonly output: string;
  /** Names in the graph by names in the file. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Adds the nodes of a forward model with one input and one output to `builder`, its batch dimension bound.
 * @throws TrainingError `ERR_MODEL_OPERATOR`, `ERR_MODEL_SHAPE`, or `ERR_MODEL_PARAMETERS` for a parameter that the
 *   model does not have
 */
export function importModel(builder: GraphBuilder, model: Model, options: ImportOptions): ImportedModel {
  const { graph } = model;
  const [input, ...otherInputs] = graph.inputs;
  const [output] = graph.outputs;
  if (input === undefined || output === undefined || otherInputs.length > 0) {
    throw new TrainingError("ERR_MODEL_SHAPE", `expected one input, got ${graph.inputs.length}`);
  }
  const names = new Map<string, string>();
  names.set(input.name, builder.input(input.name, bindBatch(input, options.batchSize)));
  const parameters = importParameters(builder, model, options.parameters);
  for (const [name, tensor] of graph.initializers) {
    names.set(name, parameters.get(name) ?? builder.constant(tensor, name));
  }
  for (const node of graph.nodes) importNode(builder, node, { model, names });
  return { input: lookUp(names, input.name), output: lookUp(names, output.name), parameters };
}

/** The type of the input with its first dimension set to `batchSize`. */
export function bindBatch({ name, dtype, shape }: Value, batchSize: number): ValueType {
  if (shape === undefined || shape.length === 0) {
    throw new TrainingError("ERR_MODEL_SHAPE", `input ${name} has no batch dimension`);
  }
  const bound = shape.map((size, axis) => {
    if (axis === 0) return batchSize;
    if (typeof size !== "number") {
      throw new TrainingError("ERR_MODEL_SHAPE", `dimension ${axis} of input ${name} is not fixed`);
    }
    return size;
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
    if (tensor === undefined)
      throw new TrainingError("ERR_MODEL_PARAMETERS", `the model has no parameter ${name}`);
    parameters.set(name, builder.input(name, { dtype: tensor.dtype, shape: tensor.shape }));
  }
  return parameters;
}

interface ImportState {
  readonly model: Model;
  readonly names: Map<string, string>;
}

function importNode(builder: GraphBuilder, node: Node, { model, names }: ImportState): void {
  const inputs = node.inputs.map((input) => (input === "" ? "" : lookUp(names, input)));
  const normal = normalize({ ...node, inputs }, { opset: model.opset, builder });
  // An Identity only renames; the file's name is led to what it stands for.
  const given = normal.operator === "Identity" ? normal.inputs : builder.addNode(normal);
  node.outputs.forEach((output, index) => {
    const name = given[index];
    if (output !== "" && name !== undefined) names.set(output, name);
  });
}

function lookUp(names: ReadonlyMap<string, string>, name: string): string {
  const found = names.get(name);
  if (found === undefined) throw new TrainingError("ERR_MODEL_MALFORMED", `${name} is never computed`);
  return found;
}
