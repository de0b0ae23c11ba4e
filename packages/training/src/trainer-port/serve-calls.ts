import { TrainingError } from "@photinus/core/errors";
import type { TrainOptions } from "@photinus/core/site";
import type { Calls, FromWorker, PackedError, ToWorker } from "./calls.ts";
import type { TrainerPort } from "./port.ts";

/** What a call yields. */
export interface Answer<R> {
  /** Goes back to the caller. */
  readonly result: R;
  /** Memory of the result that moves there. Default: none, it is copied. */
  readonly transfer?: readonly ArrayBuffer[];
}

/** Does what is called, by name. */
export type Performers<P extends Calls<P>> = {
  readonly [K in keyof P]: (call: P[K]["call"], options: TrainOptions) => Promise<Answer<P[K]["result"]>>;
};

/** Answers the calls that arrive at `port`. */
export function serveCalls<P extends Calls<P>>(performers: Performers<P>, port: TrainerPort): void {
  const running = new Map<number, AbortController>();
  const send = (message: FromWorker, transfer: readonly ArrayBuffer[] = []): void =>
    port.post(message, transfer);
  const answer = async ({ id, name, call }: Extract<ToWorker, { kind: "call" }>): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const perform = performers[name as keyof P]; // both ends are this package: see calls.ts
      const { result, transfer } = await perform(call, {
        signal: controller.signal,
        onProgress: (progress) => send({ kind: "progress", id, progress }),
      });
      send({ kind: "result", id, result }, transfer);
    } catch (error) {
      send({ kind: "error", id, error: packError(error) });
    } finally {
      running.delete(id);
    }
  };
  port.listen((message) => {
    const received = message as ToWorker;
    if (received.kind === "abort") running.get(received.id)?.abort();
    else void answer(received);
  });
}

function packError(error: unknown): PackedError {
  if (error instanceof TrainingError) return { code: error.code, message: error.message };
  return { code: "", message: error instanceof Error ? error.message : "unknown cause" };
}
