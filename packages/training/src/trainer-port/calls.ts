import { isTrainingErrorCode, TrainingError } from "@photinus/core/errors";
import type { TrainOptions, TrainProgress } from "@photinus/core/site";
import type { TrainerPort } from "./port.ts";

// Both ends of the port are this package in one process, of one version: messages are trusted as function calls are.
// What crosses is plain data only, and every answer names the call it belongs to.

/** Calls by name: what is handed over and what comes back. */
export type Calls<P> = { readonly [K in keyof P]: { readonly call: unknown; readonly result: unknown } };

/** A fault on its way back. Causes stay where they arose. */
export interface PackedError {
  /** Code of a TrainingError, or empty for any other fault. */
  readonly code: string;
  /** For people. */
  readonly message: string;
}

/** What goes to the worker. */
export type ToWorker =
  | { readonly kind: "call"; readonly id: number; readonly name: PropertyKey; readonly call: unknown }
  | { readonly kind: "abort"; readonly id: number };

/** What comes from it. */
export type FromWorker =
  | { readonly kind: "result"; readonly id: number; readonly result: unknown }
  | { readonly kind: "error"; readonly id: number; readonly error: PackedError }
  | { readonly kind: "progress"; readonly id: number; readonly progress: TrainProgress };

/** Options of one call. */
export interface PortCallOptions extends TrainOptions {
  /** Memory that moves to the other side. */
  readonly transfer?: readonly ArrayBuffer[];
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
  readonly onProgress: ((progress: TrainProgress) => void) | undefined;
}

/** The calling end of a port to a worker. */
export class PortCalls<P extends Calls<P>> {
  readonly #port: TrainerPort;
  readonly #end: () => Promise<void>;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  #lost: TrainingError | undefined;

  /** @param end called once, after {@link close}: ends the worker */
  constructor(port: TrainerPort, end: () => Promise<void>) {
    this.#port = port;
    this.#end = end;
    port.listen((message) => this.#receive(message as FromWorker));
  }

  /** @throws what the call throws; `ERR_TRAINER_LOST` when the worker is lost; the signal's reason when it is aborted */
  async call<K extends keyof P>(
    name: K,
    call: P[K]["call"],
    options: PortCallOptions,
  ): Promise<P[K]["result"]> {
    const { signal, onProgress, transfer = [] } = options;
    signal.throwIfAborted();
    if (this.#lost !== undefined) throw this.#lost;
    this.#calls++;
    const id = this.#calls;
    const abort = (): void => this.#send({ kind: "abort", id });
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await new Promise<unknown>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject, onProgress });
        this.#send({ kind: "call", id, name, call }, transfer);
      });
    } catch (error) {
      signal.throwIfAborted(); // the caller gets its own reason back
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Makes a last call and ends the worker. */
  async close<K extends keyof P>(name: K, call: P[K]["call"]): Promise<void> {
    try {
      if (this.#lost === undefined) await this.call(name, call, { signal: new AbortController().signal });
    } catch (error) {
      // A worker that dies while it is told to end has done what was asked.
      if (!(error instanceof TrainingError) || error.code !== "ERR_TRAINER_LOST") throw error;
    } finally {
      this.lose("it was closed");
      this.#port.close();
      await this.#end();
    }
  }

  /** The host says that the worker died: all that waits is refused with `ERR_TRAINER_LOST`, now and from here on. */
  lose(reason: string): void {
    this.#lost ??= new TrainingError("ERR_TRAINER_LOST", `the training worker ended: ${reason}`);
    for (const { reject } of this.#pending.values()) reject(this.#lost);
    this.#pending.clear();
  }

  #send(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.post(message, transfer);
  }

  #receive(message: FromWorker): void {
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

function unpackError({ code, message }: PackedError): TrainingError {
  return isTrainingErrorCode(code)
    ? new TrainingError(code, message)
    : new TrainingError("ERR_TRAINER_LOST", `the trainer failed: ${message}`);
}
