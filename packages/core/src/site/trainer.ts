import type { Bytes } from "../bytes/index.ts";
import type { Evaluation, MetricDefinition, TrainingDefinition } from "../job/index.ts";
import type { ParameterDescriptor, ParameterSet } from "../tensor/index.ts";

/** What a trainer needs once per job. */
export interface TrainerJob {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Name of the data set of the job; each site maps it to its own data. */
  readonly dataName: string;
  /** Loss, optimizer, batch size and epochs. */
  readonly training: TrainingDefinition;
  /** The forward ONNX graph. */
  readonly model: Bytes;
  /** The job's parameter table; the trainer refuses a model that does not have exactly these. */
  readonly parameters: readonly ParameterDescriptor[];
  /** True when each order to train brings corrections of the gradients. Default: false. */
  readonly corrects?: boolean;
  /** What is measured beside loss and accuracy. Default: nothing. */
  readonly metrics?: readonly MetricDefinition[];
}

/** What a trainer measured on the site's held-out examples. */
export interface TrainerEvaluation extends Evaluation {
  /** Sums of the job's metrics behind one another; absent where it has none. */
  readonly sums?: Float64Array;
}

/** A device that was tried and not taken. */
export interface DeclinedDevice {
  /** Its name. */
  readonly device: string;
  /** For people: at most 500 characters. */
  readonly reason: string;
}

/** What a trainer says about itself after it prepared a job. */
export interface PreparedTrainer {
  /** Execution provider in use, e.g. "cpu", "cuda", "wasm", "webgpu". */
  readonly device: string;
  /** Examples that local training draws from. */
  readonly trainingExamples: number;
  /** Held-out examples that evaluation uses; 0 when the site has none. */
  readonly heldOutExamples: number;
  /** Devices that were not taken, each with its reason. They stay in the site's log. Default: none. */
  readonly rejected?: readonly DeclinedDevice[];
}

/** One order to train. */
export interface TrainRequest {
  /** The received model version. Kept by the trainer, not changed. */
  readonly parameters: ParameterSet;
  /** Unsigned 32-bit seed of everything random in this task (shuffles, dropout). */
  readonly seed: number;
  /** The round, from 1: schedules of the learning rate go on over the rounds. Default: 1. */
  readonly round?: number;
  /** Added to the gradients of the tensors of these names: the c − c_i of SCAFFOLD, where the job was prepared with `corrects`. */
  readonly corrections?: ParameterSet;
  /** What a pull of the job holds it at, where that is not `parameters`: the shared model of Ditto. */
  readonly reference?: ParameterSet;
  /** How strong that pull is. Default: `proximal` of the job, else none. */
  readonly proximal?: number;
}

/** How far a task is. */
export interface TrainProgress {
  /** What is being done. */
  readonly phase: "evaluating" | "training";
  /** Steps done and steps planned in this phase. */
  readonly step: number;
  /** Steps planned in this phase. */
  readonly steps: number;
  /** Mean loss of the steps since the last report, if any were taken. */
  readonly loss?: number;
}

/** What local training yields. */
export interface TrainOutcome {
  /** Trained minus received, float tensors of the trainable parameters, in table order. */
  readonly delta: ParameterSet;
  /** Distinct training examples used: the weight in FedAvg. */
  readonly exampleCount: number;
  /** Mean training loss over all steps. */
  readonly loss: number;
  /** Optimizer steps. */
  readonly steps: number;
  /** Updates that were left out because loss or gradients were no finite numbers. Default: 0. */
  readonly skippedUpdates?: number;
}

/** Options of a running task. */
export interface TrainOptions {
  /** Stops the work when it is aborted. */
  readonly signal: AbortSignal;
  /** Called at most a few times per second. */
  readonly onProgress?: (progress: TrainProgress) => void;
}

/**
 * Trains and evaluates on the site's own data, for one job: a worker over a MessagePort in every host.
 * Errors are TrainingError; `ERR_TRAINER_LOST` when the worker died.
 */
export interface Trainer {
  /** Reads model and data of a job; once, before all else. @throws TrainingError */
  prepare(job: TrainerJob, options: TrainOptions): Promise<PreparedTrainer>;
  /** @returns `undefined` when the site has no held-out examples */
  evaluate(parameters: ParameterSet, options: TrainOptions): Promise<TrainerEvaluation | undefined>;
  /** One local training. @throws TrainingError */
  train(request: TrainRequest, options: TrainOptions): Promise<TrainOutcome>;
  /** Frees the device and ends the worker; idempotent. */
  close(): Promise<void>;
}
