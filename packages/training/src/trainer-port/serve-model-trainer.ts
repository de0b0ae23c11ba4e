import type { Clock } from "@photinus/core/platform";
import { unpackDataset } from "../data/index.ts";
import { createTrainer, type ModelTrainer, type RuntimeChoice } from "../trainer/index.ts";
import type { ModelCalls } from "./model-calls.ts";
import { memoryOf, packCopy, unpack } from "./parcel.ts";
import type { TrainerPort } from "./port.ts";
import { serveCalls } from "./serve-calls.ts";

/** Where a served trainer trains. */
export interface ServeModelTrainerOptions {
  /** Devices to choose from. */
  readonly runtimes: RuntimeChoice;
  /** Time. */
  readonly clock: Clock;
}

/** Answers the calls of a trainer that {@link openPortTrainer} opened at the other end of `port`. */
export function serveModelTrainer(host: ServeModelTrainerOptions, port: TrainerPort): void {
  let opened: ModelTrainer | undefined;
  const trainer = (): ModelTrainer => {
    if (opened === undefined) throw new TypeError("open comes first");
    return opened;
  };
  serveCalls<ModelCalls>(
    {
      open: async ({ data, ...options }, { signal }) => {
        opened = await createTrainer({
          ...options,
          ...(data === undefined ? {} : { data: unpackDataset(data) }),
          ...host,
          signal,
        });
        const { device, rejected, memory, table } = opened;
        return { result: { device, rejected, memory, table } };
      },
      step: async ({ batch, options }) => ({ result: await trainer().step(unpackDataset(batch), options) }),
      train: async (epochs, options) => ({ result: await trainer().train(epochs, options) }),
      evaluate: async (dataset, options) => ({
        result: await trainer().evaluate(unpackDataset(dataset), options),
      }),
      parameters: async () => {
        const parcel = packCopy(await trainer().parameters());
        return { result: parcel, transfer: memoryOf(parcel) };
      },
      load: async (parcel) => ({
        result: await trainer()
          .load(unpack(parcel))
          .then(() => undefined),
      }),
      save: async () => {
        const file = await trainer().save();
        return { result: file, transfer: [file.buffer] };
      },
      dispose: async () => ({ result: await opened?.dispose().then(() => undefined) }),
    },
    port,
  );
}
