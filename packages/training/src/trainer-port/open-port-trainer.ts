import type { Bytes } from "@photinus/core/bytes";
import type { TrainOptions } from "@photinus/core/site";
import type { ParameterSet } from "@photinus/core/tensor";
import { type Dataset, memoryOfDataset, packDataset } from "../data/index.ts";
import {
  type CallOptions,
  type EpochsOutcome,
  type MeasuredEvaluation,
  type ModelTrainer,
  type ModelTrainerOptions,
  OneAtATime,
  requireBatch,
  requireEpochs,
  requireParameters,
  type StepCallOptions,
  type StepOutcome,
} from "../trainer/index.ts";
import { PortCalls } from "./calls.ts";
import type { ModelCalls } from "./model-calls.ts";
import { memoryOf, packCopy, unpack } from "./parcel.ts";
import type { TrainerPort } from "./port.ts";

/** A worker at the other end of a port. */
export interface TrainerWorker {
  /** Where it listens. */
  readonly port: TrainerPort;
  /** Ends it. */
  readonly end: () => Promise<void>;
  /** Calls `listener` with a reason if the worker ends by itself. */
  readonly onLost: (listener: (reason: string) => void) => void;
}

/**
 * Opens a {@link ModelTrainer} in a worker that {@link serveModelTrainer} serves. Data sets are read in this thread and
 * handed over; those of `data` once.
 * @throws as `createTrainer`; TrainingError `ERR_TRAINER_LOST` when the worker ends. The worker is ended then.
 */
export async function openPortTrainer(
  options: ModelTrainerOptions & Pick<CallOptions, "signal">,
  worker: TrainerWorker,
): Promise<ModelTrainer> {
  const calls = new PortCalls<ModelCalls>(worker.port, worker.end);
  worker.onLost((reason) => calls.lose(reason));
  const { data, signal: _, ...rest } = options; // a signal does not travel
  try {
    const packed = data === undefined ? undefined : packDataset(data);
    const transfer = packed === undefined ? [] : memoryOfDataset(packed);
    const opened = await calls.call("open", { ...rest, data: packed }, { ...settled(options), transfer });
    return new PortModelTrainer(calls, options, opened);
  } catch (error) {
    await calls.close("dispose", undefined);
    throw error;
  }
}

type Opened = ModelCalls["open"]["result"];

/** A trainer in another thread. */
class PortModelTrainer implements ModelTrainer {
  readonly device: Opened["device"];
  readonly rejected: Opened["rejected"];
  readonly memory: Opened["memory"];
  readonly table: Opened["table"];
  readonly #calls: PortCalls<ModelCalls>;
  readonly #options: ModelTrainerOptions;
  readonly #work = new OneAtATime();
  #closing: Promise<void> | undefined;

  constructor(
    calls: PortCalls<ModelCalls>,
    options: ModelTrainerOptions,
    { device, rejected, memory, table }: Opened,
  ) {
    this.#calls = calls;
    this.#options = options;
    this.device = device;
    this.rejected = rejected;
    this.memory = memory;
    this.table = table;
  }

  step(dataset: Dataset, options?: StepCallOptions): Promise<StepOutcome> {
    return this.#run(async () => {
      requireBatch(dataset, this.#options.batchSize);
      const batch = packDataset(dataset);
      const transfer = memoryOfDataset(batch);
      return this.#calls.call("step", { batch, options }, { ...settled({}), transfer });
    });
  }

  train(epochs: number, options: CallOptions = {}): Promise<EpochsOutcome> {
    return this.#run(async () => {
      requireEpochs(epochs);
      if (this.#options.data === undefined) throw new TypeError("the trainer was created without data");
      return this.#calls.call("train", epochs, settled(options));
    });
  }

  evaluate(dataset: Dataset, options: CallOptions = {}): Promise<MeasuredEvaluation> {
    return this.#run(async () => {
      const packed = packDataset(dataset);
      return this.#calls.call("evaluate", packed, { ...settled(options), transfer: memoryOfDataset(packed) });
    });
  }

  parameters(): Promise<ParameterSet> {
    return this.#run(async () => unpack(await this.#calls.call("parameters", undefined, settled({}))));
  }

  load(parameters: ParameterSet): Promise<void> {
    return this.#run(async () => {
      requireParameters(parameters, this.table);
      const parcel = packCopy(parameters);
      return this.#calls.call("load", parcel, { ...settled({}), transfer: memoryOf(parcel) });
    });
  }

  save(): Promise<Bytes> {
    return this.#run(() => this.#calls.call("save", undefined, settled({})));
  }

  dispose(): Promise<void> {
    this.#closing ??= this.#calls.close("dispose", undefined);
    return this.#closing;
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    return this.#work.run(async () => {
      if (this.#closing !== undefined) throw new TypeError("the trainer was disposed");
      return work();
    });
  }
}

function settled({ signal = new AbortController().signal, onProgress }: CallOptions): TrainOptions {
  return onProgress === undefined ? { signal } : { signal, onProgress };
}
