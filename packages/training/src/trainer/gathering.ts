import type { Dataset } from "../data/index.ts";
import type { StepSession } from "../runtime/index.ts";

/** What a step did. */
export interface StepOutcome {
  /** It changed the parameters, left an update out, or only added to the gradients of one. */
  readonly kind: "taken" | "skipped" | "gathered";
  /** Mean loss of the batch before the step; undefined where no label of it counts, NaN or infinite where it is left out. */
  readonly loss: number | undefined;
}

/** One step of a {@link Gathering}. */
export interface GatheredStep {
  /** Where the examples are. */
  readonly dataset: Dataset;
  /** Learning rate. */
  readonly rate: number;
  /** True to close the update, however few batches it has. */
  readonly isLast: boolean;
}

/** Steps whose gradients become updates together. Of one that was given up between two updates nothing is left. */
export class Gathering {
  readonly #session: StepSession;
  readonly #batchesPerUpdate: number;
  #batches = 0;
  #labels = 0;

  /** @param session begins an update: what was gathered there is forgotten */
  constructor(session: StepSession, batchesPerUpdate: number) {
    this.#session = session;
    this.#batchesPerUpdate = batchesPerUpdate;
    session.forgetGathered();
  }

  /** Takes a step on the examples at `indices`. @throws TrainingError `ERR_DATA_MALFORMED` for a label that is no class */
  async step(indices: Uint32Array, { dataset, rate, isLast }: GatheredStep): Promise<StepOutcome> {
    const { batch } = this.#session;
    if (this.#batchesPerUpdate === 1) {
      const labels = batch.fill(dataset, indices);
      return this.#outcome({ closes: true, labels, loss: await this.#session.step(rate) });
    }
    const labels = batch.read(dataset, indices);
    batch.weigh(1, indices.length);
    const [batches, gathered] = [this.#batches + 1, this.#labels + labels];
    // Without a label that counts there is nothing to divide by: the update waits for the next batch.
    const closes = (isLast || batches >= this.#batchesPerUpdate) && gathered > 0;
    const sum = await this.#session.step(rate, closes ? 1 / gathered : 0);
    [this.#batches, this.#labels] = closes ? [0, 0] : [batches, gathered];
    return this.#outcome({ closes, labels, loss: sum / labels });
  }

  #outcome({ closes, labels, loss }: { closes: boolean; labels: number; loss: number }): StepOutcome {
    const kind = this.#session.hasUpdated ? "taken" : closes ? "skipped" : "gathered";
    return { kind, loss: labels === 0 ? undefined : loss };
  }
}
