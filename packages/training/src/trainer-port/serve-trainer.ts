import type { Trainer } from "@photinus/core/site";
import { memoryOf, packOwned, unpack } from "./parcel.ts";
import type { TrainerPort } from "./port.ts";
import { serveCalls } from "./serve-calls.ts";
import type { SiteCalls } from "./site-calls.ts";

/** Answers the calls of a {@link PortTrainer} at the other end of `port` with `trainer`. */
export function serveTrainer(trainer: Trainer, port: TrainerPort): void {
  serveCalls<SiteCalls>(
    {
      prepare: async (job, options) => ({ result: await trainer.prepare(job, options) }),
      evaluate: async (parcel, options) => ({ result: await trainer.evaluate(unpack(parcel), options) }),
      train: async ({ parameters, seed, round, corrections, reference, proximal }, options) => {
        const request = {
          ...{ parameters: unpack(parameters), seed },
          ...(round === undefined ? {} : { round }),
          ...(corrections === undefined ? {} : { corrections: unpack(corrections) }),
          ...(reference === undefined ? {} : { reference: unpack(reference) }),
          ...(proximal === undefined ? {} : { proximal }),
        };
        const { delta, ...rest } = await trainer.train(request, options);
        const parcel = packOwned(delta);
        return { result: { ...rest, delta: parcel }, transfer: memoryOf(parcel) };
      },
      close: async () => {
        await trainer.close();
        return { result: undefined };
      },
    },
    port,
  );
}
