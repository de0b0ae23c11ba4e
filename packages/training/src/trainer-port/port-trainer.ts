import type { Evaluation } from "@photinus/core/job";
import type {
  PreparedTrainer,
  Trainer,
  TrainerJob,
  TrainOptions,
  TrainOutcome,
  TrainRequest,
} from "@photinus/core/site";
import type { ParameterSet } from "@photinus/core/tensor";
import { PortCalls } from "./calls.ts";
import { memoryOf, packCopy, unpack } from "./parcel.ts";
import type { TrainerPort } from "./port.ts";
import type { SiteCalls } from "./site-calls.ts";

/** A trainer in another thread: the other end of {@link serveTrainer}. */
export class PortTrainer implements Trainer {
  readonly #calls: PortCalls<SiteCalls>;
  #closing: Promise<void> | undefined;

  /** @param end called once, after the trainer closed or was lost: ends the worker */
  constructor(port: TrainerPort, end: () => Promise<void>) {
    this.#calls = new PortCalls(port, end);
  }

  /** Prepares a job in the worker. The model is copied, not moved. */
  prepare(job: TrainerJob, options: TrainOptions): Promise<PreparedTrainer> {
    return this.#calls.call("prepare", job, options);
  }

  /** Evaluates in the worker. The parameters are copied once and the copy is moved. */
  evaluate(parameters: ParameterSet, options: TrainOptions): Promise<Evaluation | undefined> {
    const parcel = packCopy(parameters);
    return this.#calls.call("evaluate", parcel, { ...options, transfer: memoryOf(parcel) });
  }

  /** Trains in the worker. The parameters are copied once and the copy is moved; the delta is moved back. */
  async train(
    { parameters, seed, round, corrections, reference, proximal }: TrainRequest,
    options: TrainOptions,
  ): Promise<TrainOutcome> {
    const parcels = {
      parameters: packCopy(parameters),
      corrections: corrections && packCopy(corrections),
      reference: reference && packCopy(reference),
    };
    const transfer = Object.values(parcels).flatMap((parcel) =>
      parcel === undefined ? [] : memoryOf(parcel),
    );
    const request = { ...parcels, seed, round, proximal };
    const outcome = await this.#calls.call("train", request, { ...options, transfer });
    return { ...outcome, delta: unpack(outcome.delta) };
  }

  /** Closes the trainer and ends the worker; idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#calls.close("close", undefined);
    return this.#closing;
  }

  /** The host says that the worker died: all that waits is refused with `ERR_TRAINER_LOST`, now and from here on. */
  lose(reason: string): void {
    this.#calls.lose(reason);
  }
}
