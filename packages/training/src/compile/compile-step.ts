import { TrainingError } from "@photinus/core/errors";
import { buildBackward, type GradientRule, type Profile } from "../gradient/index.ts";
import type { GraphBuilder } from "../graph/index.ts";
import type { Model } from "../onnx/index.ts";
import { OPTIMIZERS, type Optimizer, type OptimizerOptions, type Updated } from "../optimizer/index.ts";
import type { CompiledStep, StateSlot } from "./compiled.ts";
import { closeFrame, type FrameOptions, openFrame, portOf } from "./frame.ts";

/** What one step of training is compiled from. */
export interface StepOptions extends FrameOptions {
  /** Name in the table of optimizers, and its constants. */
  readonly optimizer: { readonly name: string; readonly momentum: number };
  /** Where the graph will run. */
  readonly profile: Profile;
  /** Gradient rules; tests pass mutated ones. Default: the table. */
  readonly rules?: ReadonlyMap<string, GradientRule>;
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
  const inside = trainable.map((name) => imported.parameters.get(name) ?? "");
  const optimizer = OPTIMIZERS.get(options.optimizer.name);
  if (optimizer === undefined) {
    throw new TrainingError("ERR_MODEL_OPERATOR", `no optimizer is named ${options.optimizer.name}`);
  }
  const { loss: value, gradient: start } = loss.differentiate(builder, lossInputs, options.profile);
  const gradient = optimizer.scalesGradients ? builder.add("Mul", [start, learningRate]) : start;
  const gradients = buildBackward(builder, {
    ...options,
    output: lossInputs.logits,
    gradient,
    parameters: inside.filter((parameter) => !imported.statistics.has(parameter)),
  });
  const states = addUpdates(builder, {
    trainable: new Map(trainable.map((name, index) => [name, inside[index] ?? ""])),
    gradients,
    statistics: imported.statistics,
    learningRate,
    optimizer,
    constants: options.optimizer,
  });
  const lossOutput = builder.freeName("photinus/loss");
  const outputs = new Map([[lossOutput, value]]);
  for (const { slot, after } of states) outputs.set(slot.output, after);
  return {
    ...closeFrame(frame, { outputs, fed: new Set(trainable), batchSize: options.batchSize }),
    learningRate: portOf(builder, learningRate),
    loss: { name: lossOutput, ...builder.type(value) },
    states: states.map(({ slot }) => slot),
  };
}

interface UpdateInputs {
  /** Names in the graph by names in the table. */
  readonly trainable: ReadonlyMap<string, string>;
  readonly gradients: ReadonlyMap<string, string>;
  /** Running statistics, which follow the data and not a gradient: values after the step. */
  readonly statistics: ReadonlyMap<string, string>;
  readonly learningRate: string;
  readonly optimizer: Optimizer;
  readonly constants: OptimizerOptions;
}

interface State {
  readonly slot: StateSlot;
  /** The value after the step. */
  readonly after: string;
}

function addUpdates(builder: GraphBuilder, inputs: UpdateInputs): readonly State[] {
  const parameters: State[] = [];
  const others: State[] = [];
  for (const [name, parameter] of inputs.trainable) {
    const type = builder.type(parameter);
    const slot = (role: StateSlot["role"], input: string): StateSlot => ({
      ...{ dtype: type.dtype, shape: type.shape },
      ...{ input, output: builder.freeName(`${input}/next`), parameter: name, role },
    });
    const statistic = inputs.statistics.get(parameter);
    if (statistic !== undefined) {
      parameters.push({ slot: slot("parameter", parameter), after: statistic });
      continue;
    }
    const declared = new Map<string, string>();
    const updated = updateOf(builder, inputs, { name, parameter, declared });
    parameters.push({ slot: slot("parameter", parameter), after: updated.parameter });
    for (const [kind, input] of declared) {
      others.push({ slot: slot("optimizer", input), after: updated.states[kind] ?? input });
    }
  }
  return [...parameters, ...others];
}

/** The optimizer's nodes for one parameter; `declared` gets its states, kind by name of the input. */
function updateOf(
  builder: GraphBuilder,
  { gradients, learningRate, optimizer, constants }: UpdateInputs,
  { name, parameter, declared }: { name: string; parameter: string; declared: Map<string, string> },
): Updated {
  const gradient = gradients.get(parameter);
  if (gradient === undefined) {
    throw new TrainingError(
      "ERR_MODEL_PARAMETERS",
      `parameter ${name} has no part in the model's output: mark it as not trainable`,
    );
  }
  const type = builder.type(parameter);
  const state = (kind: string): string => {
    const input = builder.input(`photinus/${kind}/${name}`, type);
    declared.set(kind, input);
    return input;
  };
  return optimizer.update(builder, { parameter, gradient, learningRate, state }, constants);
}
