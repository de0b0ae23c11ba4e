import type { OptimizerConstants, ParameterGroup } from "@photinus/core/job";
import { buildBackward, type GradientRule, type Profile } from "../gradient/index.ts";
import type { Model } from "../onnx/index.ts";
import { type Optimizer, optimizerOf } from "../optimizer/index.ts";
import { addUpdates, type UpdateOptions } from "./add-updates.ts";
import type { CompiledStep } from "./compiled.ts";
import { closeFrame, type FrameOptions, openFrame, portOf } from "./frame.ts";

/** What one step of training is compiled from. */
export interface StepOptions extends FrameOptions, UpdateOptions {
  /** The optimizer. */
  readonly optimizer: OptimizerConstants;
  /** Where the graph will run. */
  readonly profile: Profile;
  /** Parameters with rules of their own. Default: none. */
  readonly groups?: readonly ParameterGroup[];
  /** True where the learning rate changes from step to step. Default: false. */
  readonly hasVaryingRate?: boolean;
  /** Gradient rules; tests pass mutated ones. Default: the table. */
  readonly rules?: ReadonlyMap<string, GradientRule>;
  /** What the optimizer's constants stand for; tests pass a mutated one. Default: the table. */
  readonly optimizerOf?: (constants: OptimizerConstants) => Optimizer;
}

/**
 * Compiles a forward model into one step of training: an ONNX model whose inputs are examples, labels, weights,
 * learning rate and the states, and whose outputs are the loss and the new states. An ordinary inference session
 * runs it.
 *
 * @throws TrainingError `ERR_MODEL_OPERATOR` naming operator and node, `ERR_MODEL_SHAPE`, `ERR_MODEL_TOO_LARGE`, or
 *   `ERR_MODEL_PARAMETERS` when a parameter is missing or has no part in the output
 */
export function compileStep(model: Model, options: StepOptions): CompiledStep {
  const frame = openFrame(model, options, "training");
  const { builder, imported, loss, lossInputs } = frame;
  const learningRate = builder.input("photinus/learning-rate", { dtype: "f32", shape: [] });
  const trainable = options.parameters.filter((parameter) => parameter.trainable).map(({ name }) => name);
  const inside = new Map(trainable.map((name) => [name, imported.parameters.get(name) ?? ""]));
  const optimizer = (options.optimizerOf ?? optimizerOf)(options.optimizer);
  const isScaled = optimizer.takesScaledGradients && isPlain(options);
  const { loss: value, gradient: start } = loss.differentiate(builder, lossInputs, options.profile);
  const gradients = buildBackward(builder, {
    ...options,
    output: lossInputs.output,
    gradient: isScaled ? builder.add("Mul", [start, learningRate]) : start,
    parameters: [...inside.values()].filter((parameter) => !imported.statistics.has(parameter)),
  });
  const updates = addUpdates(builder, options, {
    ...{ trainable: inside, gradients, statistics: imported.statistics },
    ...{ loss: value, learningRate, optimizer, isScaled },
  });
  const lossOutput = builder.freeName("photinus/loss");
  const outputs = new Map([[lossOutput, value], ...updates.outputs]);
  return {
    ...closeFrame(frame, { outputs, fed: new Set(trainable), batchSize: options.batchSize }),
    ...updates.ports,
    learningRate: portOf(builder, learningRate),
    loss: { name: lossOutput, ...builder.type(value) },
  };
}

/** True where nothing happens to a gradient between its rule and the optimizer: then it may come scaled. */
function isPlain(options: StepOptions): boolean {
  const {
    optimizer,
    groups = [],
    clippingNorm,
    proximal,
    gathers,
    skips,
    corrects,
    hasVaryingRate,
  } = options;
  const changes = [
    clippingNorm !== undefined,
    proximal !== undefined,
    gathers,
    skips,
    corrects,
    hasVaryingRate,
  ];
  return (optimizer.weightDecay ?? 0) === 0 && groups.length === 0 && !changes.includes(true);
}
