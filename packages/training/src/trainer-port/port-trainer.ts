import { isTrainingErrorCode, TrainingError } from "@photinus/core/errors";
import type { Evaluation } from "@photinus/core/job";
import type {
  PreparedTrainer,
  Trainer,
  TrainerJob,
  TrainOptions,
  TrainOutcome,
  TrainProgress,
  TrainRequest,
} from "@photinus/core/site";
import type { ParameterSet } from "@photinus/core/tensor";
import type { CallResult, FromTrainer, PackedError, ToTrainer } from "./messages.ts";
import { type Parcel, packCopy, unpack } from "./parcel.ts";
import type { TrainerPort } from "./port.ts";

interface Pending {
  readonly resolve: (result: CallResult) => void;
  readonly reject: (reason: unknown) => void;
  readonly onProgress: ((progress: TrainProgress) => void) | undefined;
}

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
type Call = WithoutId<Exclude<ToTrainer, { kind: "abort" }>>;

/** A trainer in another thread: the other end of {@link serveTrainer}. */
export class PortTrainer implements Trainer {
  readonly #port: TrainerPort;
  readonly #end: () => Promise<void>;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  #lost: TrainingError | undefined;
  #closing: Promise<void> | undefined;

  /** @param end called once, after the trainer closed or was lost: ends the worker */
  constructor(port: TrainerPort, end: () => Promise<void>) {
    this.#port = port;
    this.#end = end;
    port.listen((message) => this.#receive(message as FromTrainer)); // both ends are this package: see messages.ts
  }

  /** Prepares a job in the worker. The model is copied, not moved. */
  async prepare(job: TrainerJob, options: TrainOptions): Promise<PreparedTrainer> {
    const result = await this.#call({ kind: "prepare", job }, [], options);
    return expect(result, "prepare").value;
  }

  /** Evaluates in the worker. The parameters are copied once and the copy is moved. */
  async evaluate(parameters: ParameterSet, options: TrainOptions): Promise<Evaluation | undefined> {
    const parcel = packCopy(parameters);
    const result = await this.#call({ kind: "evaluate", parameters: parcel }, memoryOf(parcel), options);
    return expect(result, "evaluate").value;
  }

  /** Trains in the worker. The parameters are copied once and the copy is moved; the delta is moved back. */
  async train({ parameters, seed, round }: TrainRequest, options: TrainOptions): Promise<TrainOutcome> {
    const parcel = packCopy(parameters);
    const call: Call = { kind: "train", parameters: parcel, seed, round };
    const result = await this.#call(call, memoryOf(parcel), options);
    const { delta, ...rest } = expect(result, "train").value;
    return { ...rest, delta: unpack(delta) };
  }

  /** Closes the trainer and ends the worker; idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The host says that the worker died: all that waits is refused with `ERR_TRAINER_LOST`, now and from here on. */
  lose(reason: string): void {
    this.#lost ??= new TrainingError("ERR_TRAINER_LOST", `the training worker ended: ${reason}`);
    for (const { reject } of this.#pending.values()) reject(this.#lost);
    this.#pending.clear();
  }

  async #close(): Promise<void> {
    try {
      if (this.#lost === undefined)
        await this.#call({ kind: "close" }, [], { signal: new AbortController().signal });
    } catch (error) {
      // A worker that dies while it is told to end has done what was asked.
      if (!(error instanceof TrainingError) || error.code !== "ERR_TRAINER_LOST") throw error;
    } finally {
      this.lose("it was closed");
      this.#port.close();
      await this.#end();
    }
  }

  async #call(call: Call, transfer: readonly ArrayBuffer[], options: TrainOptions): Promise<CallResult> {
    const { signal, onProgress } = options;
    signal.throwIfAborted();
    if (this.#lost !== undefined) throw this.#lost;
    this.#calls++;
    const id = this.#calls;
    const abort = (): void => this.#send({ kind: "abort", id });
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { resolve, reject, onProgress });
        this.#send({ ...call, id }, transfer);
      });
    } catch (error) {
      signal.throwIfAborted(); // the caller gets its own reason back
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #send(message: ToTrainer, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.post(message, transfer);
  }

  #receive(message: FromTrainer): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return; // it was lost or given up
    switch (message.kind) {
      case "progress":
        pending.onProgress?.(message.progress);
        return;
      case "result":
        this.#pending.delete(message.id);
        pending.resolve(message.result);
        return;
      case "error":
        this.#pending.delete(message.id);
        pending.reject(unpackError(message.error));
        return;
    }
  }
}

function memoryOf({ bytes }: Parcel): readonly ArrayBuffer[] {
  return [bytes.buffer];
}

function expect<K extends CallResult["kind"]>(result: CallResult, kind: K): Extract<CallResult, { kind: K }> {
  if (result.kind !== kind)
    throw new TrainingError("ERR_TRAINER_LOST", `the trainer answered ${result.kind}`);
  return result as Extract<CallResult, { kind: K }>; // the kind was compared above
}

function unpackError({ code, message }: PackedError): TrainingError {
  return isTrainingErrorCode(code)
    ? new TrainingError(code, message)
    : new TrainingError("ERR_TRAINER_LOST", `the trainer failed: ${message}`);
}
