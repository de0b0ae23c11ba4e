import type { Bytes } from "@photinus/core/bytes";
import type { DropoutMask, ValueType } from "../graph/index.ts";
import type { LossTypes } from "../loss/index.ts";

/** A tensor that a compiled graph is fed or yields. */
export interface Port extends ValueType {
  /** Its name in the graph. */
  readonly name: string;
}

/** An input of the model. */
export interface InputPort extends Port {
  /** Its name in the file. */
  readonly nameInFile: string;
}

/** A tensor that goes into a step and comes out changed. */
export interface StateSlot extends ValueType {
  /** Name of the input. */
  readonly input: string;
  /** Name of the output. */
  readonly output: string;
  /** The parameter it is, or belongs to, by its name in the parameter table; empty where it belongs to all. */
  readonly parameter: string;
  /** The parameter itself, or what starts as zeros: something of the optimizer's, or what an open update has gathered. */
  readonly role: "parameter" | "optimizer" | "gathered";
}

/** What training and evaluation graphs have in common. */
export interface CompiledGraph {
  /** An ONNX file for an ordinary inference session. */
  readonly model: Bytes;
  /** Examples per run. */
  readonly batchSize: number;
  /** Most bytes of intermediate values and outputs at a time, by the order of the nodes. */
  readonly workingBytes: number;
  /** The model's inputs in the order of the file, each [batchSize, ...]. */
  readonly inputs: readonly InputPort[];
  /** Labels as the loss defines them. */
  readonly labels: Port;
  /** f32, one for each example: what it weighs in the loss; 0 for padding. */
  readonly weights: Port;
  /** What the loss says of labels. */
  readonly labelling: LossTypes;
  /** What Dropout is fed, fresh for every run; none in an evaluation. */
  readonly masks: readonly DropoutMask[];
  /** Parameters that are fed and stay as they are, by their names in the parameter table. */
  readonly frozen: ReadonlyMap<string, Port>;
}

/** An f32 scalar that is fed anew with each step. */
export interface ScalarInput extends Port {
  /** Its value for the update of that number, counted from 1. */
  readonly at: (update: number) => number;
}

/** One step of training as a graph: loss, gradients and the optimizer's update. */
export interface CompiledStep extends CompiledGraph {
  /** f32 scalar input. */
  readonly learningRate: Port;
  /** f32 scalar output: weighted sum of the losses of the batch before the update. */
  readonly loss: Port;
  /** In the order of the parameter table; all other states behind the parameters. */
  readonly states: readonly StateSlot[];
  /** What the optimizer wants to know of the number of the update. */
  readonly scalars: readonly ScalarInput[];
  /**
   * f32 scalar input: 0, or, at the last step of an update, what its gathered gradients are multiplied with. Absent where
   * every step is an update.
   */
  readonly closes?: Port;
  /** f32 scalar output: 1 where the parameters were updated, else 0. Absent where every step does. */
  readonly updated?: Port;
  /** f32 scalar input: the pull towards the references; its value where a training names none. Absent where there is none. */
  readonly proximal?: Port & { readonly value: number };
  /** Inputs that hold the received parameters while they are trained, by parameter: for FedProx. */
  readonly references: ReadonlyMap<string, Port>;
  /** Inputs that are added to the gradients, by parameter: the c - cᵢ of SCAFFOLD. */
  readonly corrections: ReadonlyMap<string, Port>;
}

/** The evaluation of one batch as a graph. */
export interface CompiledEvaluation extends CompiledGraph {
  /** f32 scalar output: weighted sum of the losses of the batch. */
  readonly lossSum: Port;
  /** f32 scalar output: weighted count of right answers of the batch; absent where the loss knows none. */
  readonly correct?: Port;
  /** The model's output, where it was asked for. */
  readonly output?: Port;
}
