import type { Bytes } from "@photinus/core/bytes";
import type { DropoutMask, ValueType } from "../graph/index.ts";

/** A tensor that a compiled graph is fed or yields. */
export interface Port extends ValueType {
  /** Its name in the graph. */
  readonly name: string;
}

/** A tensor that goes into a step and comes out changed. */
export interface StateSlot extends ValueType {
  /** Name of the input. */
  readonly input: string;
  /** Name of the output. */
  readonly output: string;
  /** The parameter it is, or belongs to, by its name in the parameter table. */
  readonly parameter: string;
  /** The parameter itself, or something of the optimizer's that starts as zeros. */
  readonly role: "parameter" | "optimizer";
}

/** What training and evaluation graphs have in common. */
export interface CompiledGraph {
  /** An ONNX file for an ordinary inference session. */
  readonly model: Bytes;
  /** Examples per run. */
  readonly batchSize: number;
  /** [batchSize, ...] */
  readonly examples: Port;
  /** Labels as the loss defines them. */
  readonly labels: Port;
  /** f32, one for each example: what it weighs in the loss; 0 for padding. */
  readonly weights: Port;
  /** What Dropout is fed, fresh for every run; none in an evaluation. */
  readonly masks: readonly DropoutMask[];
  /** Parameters that are fed and stay as they are, by their names in the parameter table. */
  readonly frozen: ReadonlyMap<string, Port>;
}

/** One step of training as a graph: loss, gradients and the optimizer's update. */
export interface CompiledStep extends CompiledGraph {
  /** f32 scalar input. */
  readonly learningRate: Port;
  /** f32 scalar output: weighted sum of the losses of the batch before the update. */
  readonly loss: Port;
  /** In the order of the parameter table; optimizer states behind all parameters. */
  readonly states: readonly StateSlot[];
}

/** The evaluation of one batch as a graph. */
export interface CompiledEvaluation extends CompiledGraph {
  /** Classes that the model tells apart: labels are 0 to this - 1. */
  readonly classCount: number;
  /** f32 scalar output: weighted sum of the losses of the batch. */
  readonly lossSum: Port;
  /** f32 scalar output: weighted count of right answers of the batch. */
  readonly correct: Port;
}
