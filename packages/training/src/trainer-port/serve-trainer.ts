import { TrainingError } from "@photinus/core/errors";
import type { Trainer, TrainOptions } from "@photinus/core/site";
import type { CallResult, FromTrainer, PackedError, ToTrainer, TrainerCall } from "./messages.ts";
import { packOwned, unpack } from "./parcel.ts";
import type { TrainerPort } from "./port.ts";

/** Answers the calls of a {@link PortTrainer} at the other end of `port` with `trainer`. */
export function serveTrainer(trainer: Trainer, port: TrainerPort): void {
  const running = new Map<number, AbortController>();
  const send = (message: FromTrainer, transfer: readonly ArrayBuffer[] = []): void =>
    port.post(message, transfer);
  const answer = async (call: TrainerCall): Promise<void> => {
    const { id } = call;
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const result = await perform(trainer, call, {
        signal: controller.signal,
        onProgress: (progress) => send({ kind: "progress", id, progress }),
      });
      const memory = result.kind === "train" ? [result.value.delta.bytes.buffer] : [];
      send({ kind: "result", id, result }, memory);
    } catch (error) {
      send({ kind: "error", id, error: packError(error) });
    } finally {
      running.delete(id);
    }
  };
  port.listen((message) => {
    const received = message as ToTrainer; // both ends are this package: see messages.ts
    if (received.kind === "abort") running.get(received.id)?.abort();
    else void answer(received);
  });
}

async function perform(trainer: Trainer, call: TrainerCall, options: TrainOptions): Promise<CallResult> {
  switch (call.kind) {
    case "prepare":
      return { kind: "prepare", value: await trainer.prepare(call.job, options) };
    case "evaluate":
      return { kind: "evaluate", value: await trainer.evaluate(unpack(call.parameters), options) };
    case "train": {
      const { seed, round } = call;
      const request = {
        parameters: unpack(call.parameters),
        seed,
        ...(round === undefined ? {} : { round }),
      };
      const { delta, ...rest } = await trainer.train(request, options);
      return { kind: "train", value: { ...rest, delta: packOwned(delta) } };
    }
    case "close":
      await trainer.close();
      return { kind: "close" };
  }
}

function packError(error: unknown): PackedError {
  if (error instanceof TrainingError) return { code: error.code, message: error.message };
  return { code: "", message: error instanceof Error ? error.message : "unknown cause" };
}
