import { TrainingError } from "@photinus/core/errors";
import type { LossDefinition } from "@photinus/core/job";
import type { ParameterDescriptor } from "@photinus/core/tensor";
import { GraphBuilder, type ImportedModel, importModel, TARGET_OPSET } from "../graph/index.ts";
import { type Loss, type LossInputs, type LossTypes, lossOf } from "../loss/index.ts";
import { type Model, writeModel } from "../onnx/index.ts";
import type { CompiledGraph, Port } from "./compiled.ts";
import { peakBytes } from "./peak-bytes.ts";
import { poolBeforeRelu } from "./pool-before-relu.ts";

/** Version of the file format that belongs to {@link TARGET_OPSET}. */
const IR_VERSION = 9;

/** What both kinds of graphs are compiled from. */
export interface FrameOptions {
  /** The parameter table; names of initializers of the model. */
  readonly parameters: readonly ParameterDescriptor[];
  /** The loss. */
  readonly loss: LossDefinition;
  /** Examples per run, at least 1. */
  readonly batchSize: number;
  /** Sizes of dimensions of the inputs that the file names, as "sequence". */
  readonly dimensions?: ReadonlyMap<string, number>;
}

/** A forward model with the inputs of its loss, before anything is computed from it. */
export interface Frame {
  /** Holds the forward nodes. */
  readonly builder: GraphBuilder;
  /** Where the model's parts are. */
  readonly imported: ImportedModel;
  /** The loss. */
  readonly loss: Loss;
  /** What it compares. */
  readonly lossInputs: LossInputs;
  /** What it says of labels. */
  readonly labelling: LossTypes;
}

/** @throws TrainingError as {@link importModel}, or `ERR_MODEL_SHAPE` when the loss does not fit the output */
export function openFrame(
  model: Model,
  { parameters, loss: definition, batchSize, dimensions }: FrameOptions,
  mode: "training" | "evaluation",
): Frame {
  const loss = lossOf(definition);
  const builder = new GraphBuilder();
  const names = parameters.map(({ name }) => name);
  const trained = new Set(parameters.filter(({ trainable }) => trainable).map(({ name }) => name));
  const options = {
    ...{ batchSize, parameters: names, trained, mode },
    ...(dimensions === undefined ? {} : { dimensions }),
  };
  const imported = withAdvice(model, batchSize, () => importModel(builder, poolBeforeRelu(model), options));
  const { output } = imported;
  for (const [name, value] of [["output", output] as const, ...imported.inputs]) {
    if (builder.shape(value)[0] !== batchSize) {
      throw new TrainingError(
        "ERR_MODEL_SHAPE",
        `the first dimension of the model's ${name} is not the batch`,
      );
    }
  }
  const labelling = loss.types(builder.type(output));
  const labels = builder.input("photinus/labels", labelling.labels);
  const weights = builder.input("photinus/weights", labelling.weights);
  return { builder, imported, loss, lossInputs: { output, labels, weights }, labelling };
}

/** A file that was exported for one batch size may hold it in constants; an error of another size says so. */
function withAdvice<T>({ graph }: Model, batchSize: number, compute: () => T): T {
  const exported = graph.inputs[0]?.shape?.[0];
  try {
    return compute();
  } catch (cause) {
    const isShape = cause instanceof TrainingError && cause.code === "ERR_MODEL_SHAPE";
    if (!isShape || typeof exported !== "number" || exported === batchSize) throw cause;
    const advice = `the model was exported for a batch of ${exported}: use that size, or export it with a dynamic batch`;
    throw new TrainingError("ERR_MODEL_SHAPE", `${cause.message}; ${advice}`, { cause });
  }
}

/** The part of a compiled graph that training and evaluation share. */
export function closeFrame(
  { builder, imported, lossInputs, labelling }: Frame,
  {
    outputs,
    fed,
    batchSize,
  }: { outputs: ReadonlyMap<string, string>; fed: ReadonlySet<string>; batchSize: number },
): CompiledGraph {
  const graph = builder.build("photinus", outputs);
  const frozen = [...imported.parameters].filter(([name]) => !fed.has(name));
  return {
    model: writeModel({ irVersion: IR_VERSION, opset: TARGET_OPSET, producer: "photinus", graph }),
    batchSize,
    workingBytes: peakBytes(graph, (name) => builder.type(outputs.get(name) ?? name)),
    inputs: [...imported.inputs].map(([nameInFile, name]) => ({ nameInFile, ...portOf(builder, name) })),
    labels: portOf(builder, lossInputs.labels),
    weights: portOf(builder, lossInputs.weights),
    labelling,
    masks: imported.masks,
    frozen: new Map(frozen.map(([name, input]) => [name, portOf(builder, input)])),
  };
}

/** `name` with its type. */
export function portOf(builder: GraphBuilder, name: string): Port {
  return { name, ...builder.type(name) };
}
