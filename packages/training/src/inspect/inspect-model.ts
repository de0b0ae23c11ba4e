import { describeError, TrainingError, type TrainingErrorCode } from "@photinus/core/errors";
import { isFloatDType, type ParameterDescriptor } from "@photinus/core/tensor";
import { buildBackward } from "../gradient/index.ts";
import { GraphBuilder, type ImportedModel, importModel } from "../graph/index.ts";
import type { Graph, Model, Node, Value } from "../onnx/index.ts";
import { parameterTable } from "../trainer/index.ts";

/** Batch that a model without a fixed one is looked at with: not 1, which would hide what depends on it. */
const TRIAL_BATCH = 2;

/** Why a model, or a part of it, cannot be trained. */
export interface Blocker {
  /** Name of the node, or of its first output when it has none; empty when no single node is to blame. */
  readonly node: string;
  /** Operator of that node; empty when no single node is to blame. */
  readonly operator: string;
  /** Code of the error that compiling would end in. */
  readonly code: TrainingErrorCode;
  /** What is wrong, and where. */
  readonly reason: string;
  /** What to change. */
  readonly remedy: string;
}

/** A parameter and what training does with it. */
export interface InspectedParameter extends ParameterDescriptor {
  /** Why it is not trainable; empty for one that is. */
  readonly reason: string;
}

/** What a model is made of, and whether it can be trained. */
export interface ModelReport {
  /** Program that wrote the file. */
  readonly producer: string;
  /** Operator set of the file. */
  readonly opset: number;
  /** What the model is fed, as the file declares it. */
  readonly inputs: readonly Value[];
  /** What it computes. */
  readonly outputs: readonly Value[];
  /** Its float initializers, in the order of the file. */
  readonly parameters: readonly InspectedParameter[];
  /** How often each operator occurs, most frequent first. */
  readonly operators: readonly { readonly operator: string; readonly count: number }[];
  /** True when every operator on the way from the parameters to the output can be differentiated. */
  readonly trainable: boolean;
  /** Every reason against it; empty when `trainable`. */
  readonly blockers: readonly Blocker[];
}

/** Looks a model over without compiling it for a job: unlike compiling, it goes on after the first blocker. */
export function inspectModel(model: Model): ModelReport {
  const { graph, opset, producer } = model;
  const table = parameterTable(model);
  const { blockers, reached } = examine(model, table);
  const parameters = [...table.map((entry) => inspected(entry, reached, blockers)), ...foreign(graph)];
  const trainable = blockers.length === 0 && parameters.some((parameter) => parameter.trainable);
  const nothing = blockerOf(
    undefined,
    new TrainingError("ERR_MODEL_PARAMETERS", "no parameter can be trained"),
  );
  return {
    ...{ producer, opset, inputs: graph.inputs, outputs: graph.outputs, parameters, trainable },
    operators: countOperators(graph),
    blockers: trainable || blockers.length > 0 ? blockers : [nothing],
  };
}

interface Examination {
  readonly blockers: readonly Blocker[];
  /** Parameters that a gradient reaches, or whose statistics follow the data; undefined when that is not known. */
  readonly reached: ReadonlySet<string> | undefined;
}

function examine(model: Model, table: readonly ParameterDescriptor[]): Examination {
  const builder = new GraphBuilder();
  const blockers: Blocker[] = [];
  const parameters = table.map(({ name }) => name);
  const trained = new Set(table.filter(({ trainable }) => trainable).map(({ name }) => name));
  const [batch] = model.graph.inputs[0]?.shape ?? [];
  const batchSize = typeof batch === "number" && batch > 0 ? batch : TRIAL_BATCH;
  try {
    const imported = importModel(builder, model, {
      ...{ batchSize, parameters, trained, mode: "training" },
      onRefused: (node, error) => blockers.push(blockerOf(node, error)),
    });
    if (blockers.length > 0) return { blockers, reached: undefined };
    return { blockers, reached: reachedBy(builder, imported) };
  } catch (error) {
    if (!(error instanceof TrainingError)) throw error;
    return { blockers: [...blockers, blockerOf(undefined, error)], reached: undefined };
  }
}

function reachedBy(
  builder: GraphBuilder,
  { output, parameters, statistics }: ImportedModel,
): ReadonlySet<string> {
  const seed = builder.input("photinus/seed", builder.type(output));
  const gradients = buildBackward(builder, {
    ...{ output, gradient: seed, parameters: [...parameters.values()], profile: "cpu" },
  });
  return new Set(
    [...parameters].flatMap(([name, inside]) =>
      gradients.has(inside) || statistics.has(inside) ? [name] : [],
    ),
  );
}

function blockerOf(node: Node | undefined, error: TrainingError): Blocker {
  return {
    node: node === undefined ? "" : node.name || (node.outputs[0] ?? ""),
    operator: node?.operator ?? "",
    code: error.code,
    reason: error.message,
    remedy: describeError(error.code).remedy,
  };
}

function inspected(
  entry: ParameterDescriptor,
  reached: ReadonlySet<string> | undefined,
  blockers: readonly Blocker[],
): InspectedParameter {
  if (!entry.trainable) {
    const reason = entry.shape.length === 0 ? "a single number" : "a running statistic of inference mode";
    return { ...entry, reason };
  }
  if (blockers.length > 0) return { ...entry, trainable: false, reason: "the model cannot be trained" };
  const isReached = reached?.has(entry.name) ?? false;
  return { ...entry, trainable: isReached, reason: isReached ? "" : "it has no part in the output" };
}

/** Float initializers of types that training does not compute with. */
function foreign({ initializers }: Graph): readonly InspectedParameter[] {
  return [...initializers].flatMap(([name, { dtype, shape }]) =>
    dtype === "f32" || !isFloatDType(dtype)
      ? []
      : [{ name, dtype, shape, trainable: false, reason: `it is ${dtype}: export the model in float32` }],
  );
}

function countOperators(graph: Graph): ModelReport["operators"] {
  const counts = new Map<string, number>();
  const visit = ({ nodes }: Graph): void => {
    for (const { operator, attributes } of nodes) {
      counts.set(operator, (counts.get(operator) ?? 0) + 1);
      for (const attribute of attributes.values()) if (attribute.kind === "graph") visit(attribute.value);
    }
  };
  visit(graph);
  return [...counts]
    .map(([operator, count]) => ({ operator, count }))
    .sort((a, b) => b.count - a.count || (a.operator < b.operator ? -1 : 1));
}
