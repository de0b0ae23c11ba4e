import { TrainingError } from "@photinus/core/errors";
import type { ParameterDescriptor } from "@photinus/core/tensor";
import type { Graph, Model, Node } from "../onnx/index.ts";

/** What a submitter may want otherwise than the file has it. */
export interface ParameterTableOptions {
  /**
   * True to normalize by the statistics of each batch, and to let the running ones follow, where the file has
   * BatchNormalization in inference mode: PyTorch's dynamo exporter writes no other. Default: false, as the file has it.
   */
  readonly batchStatistics?: boolean;
}

/**
 * The parameter table of a model: its f32 initializers that some node uses, in the order of the file. A submitter may
 * set `trainable` to false for some. A single number is a constant that an exporter took out of a formula more often than a
 * parameter, and not trainable unless a submitter says so. Running statistics of BatchNormalization are trainable where training changes them.
 */
export function parameterTable(
  { graph }: Model,
  { batchStatistics = false }: ParameterTableOptions = {},
): readonly ParameterDescriptor[] {
  const nodes = allNodes(graph);
  const used = new Set(nodes.flatMap(computedWith));
  const fixed = new Set(batchStatistics ? [] : nodes.flatMap(fixedStatistics));
  return [...graph.initializers]
    .filter(([name, { dtype }]) => dtype === "f32" && used.has(name))
    .map(([name, { dtype, shape }]) => ({
      name,
      dtype,
      shape,
      trainable: shape.length > 0 && !fixed.has(name),
    }));
}

/** Inputs that shape an operator and are known before it runs, by operator: what they hold is no parameter. */
const SETTINGS: ReadonlyMap<string, readonly number[]> = new Map([
  ["Clip", [1, 2]],
  ["Dropout", [1]],
  ["Pad", [2]],
  ["Range", [0, 1, 2]],
  ["Resize", [1, 2]],
]);

function computedWith({ operator, inputs }: Node): readonly string[] {
  return inputs.filter((_, index) => !(SETTINGS.get(operator)?.includes(index) ?? false));
}

/** Nodes of the graph and of the branches inside it, which use its initializers, too. */
function allNodes({ nodes }: Graph): readonly Node[] {
  return nodes.flatMap((node) => [
    node,
    ...[...node.attributes.values()].flatMap((attribute) =>
      attribute.kind === "graph" ? allNodes(attribute.value) : [],
    ),
  ]);
}

/** The running statistics of a BatchNormalization in inference mode: no gradient goes to them. */
function fixedStatistics({ operator, inputs, attributes }: Node): readonly string[] {
  if (operator !== "BatchNormalization" || attributes.get("training_mode")?.value === 1) return [];
  return inputs.slice(3, 5);
}

/**
 * Proves that a job's table is that of its model: the same names, types and shapes, in the same order, at least one
 * of them trainable.
 * @throws TrainingError `ERR_MODEL_PARAMETERS` naming the first difference
 */
export function checkParameterTable(model: Model, given: readonly ParameterDescriptor[]): void {
  const expected = parameterTable(model);
  if (expected.length !== given.length)
    refuse(`${given.length} parameters, the model has ${expected.length}`);
  expected.forEach(({ name, dtype, shape }, index) => {
    const other = given[index];
    if (other?.name !== name) refuse(`parameter ${index} is ${other?.name}, the model's is ${name}`);
    if (other.dtype !== dtype || other.shape.join() !== shape.join()) {
      refuse(`${name} is ${other.dtype}[${other.shape}], the model's ${dtype}[${shape}]`);
    }
  });
  if (!given.some(({ trainable }) => trainable)) refuse("no parameter is trainable");
}

function refuse(what: string): never {
  throw new TrainingError("ERR_MODEL_PARAMETERS", `the parameter table does not fit the model: ${what}`);
}
