import {
  type AggregationDefinition,
  type Aggregator,
  type ServerOptimizer,
  serverOptimizer,
} from "../aggregation/index.ts";
import { type Bytes, toHex } from "../bytes/index.ts";
import { JobError } from "../errors/index.ts";
import type { ModelVersion, TaskOrder } from "../workflow/index.ts";
import { applyUpdate } from "./apply-update.ts";
import type { JobContext } from "./job-context.ts";
import { isSignedBy, type PublishedBlob, publish } from "./publisher.ts";

/** FedAvg's rule, where a job names none. */
const DEFAULT_AGGREGATION: AggregationDefinition = { name: "weighted-mean" };

/**
 * The model versions of one job: the sum of a round's updates, the version that follows from it, and what is published
 * to sites. Models in memory: the sum and what lies in staging slots, K + 1 altogether; what sites are sent is read from
 * storage.
 */
export class Versions {
  readonly #context: JobContext;
  #published: { readonly version: number; readonly model: PublishedBlob } | undefined;
  #aggregator: Aggregator | undefined;
  #optimizer: ServerOptimizer | undefined;

  constructor(context: JobContext) {
    this.#context = context;
  }

  /** An empty aggregate for a round. @param sites how many were asked @throws JobError `ERR_JOB_FAILED` when the program registered no such aggregator */
  emptyAggregator(sites: number): Aggregator {
    const { updateLayout, modules, payload } = this.#context;
    const aggregation = payload.definition.aggregation ?? DEFAULT_AGGREGATION;
    const create = modules.aggregators.get(aggregation.name);
    if (create === undefined)
      throw new JobError("ERR_JOB_FAILED", `there is no aggregator ${aggregation.name}`);
    this.#aggregator ??= create(updateLayout, modules, aggregation);
    this.#aggregator.reset(sites);
    return this.#aggregator;
  }

  /**
   * w ← w + Δ: divides the sum, lets the server's optimizer make a step of the mean, adds it to the model that was sent, and stores
   * the result durably, with what the optimizer keeps.
   * @throws AggregationError when nothing was added, or the sum overflows
   */
  async make({ round, model }: TaskOrder): Promise<ModelVersion> {
    const { modules, jobId, payload, updateLayout, signal } = this.#context;
    if (this.#aggregator === undefined) throw new RangeError("no round is open");
    const slot = await modules.slots.acquire(jobId, updateLayout.byteLength, signal);
    try {
      const { update } = await this.#aggregator.finish(slot.bytes);
      this.#aggregator.reset(); // gives its memory back before more is asked for
      const state = await this.#optimize(update, model);
      const bytes = await this.#moved(model, update);
      const form = { project: modules.project, chunkBytes: payload.definition.chunkBytes };
      const made = { version: round, checkpoint: await modules.checkpoints.putPublished(bytes, form) };
      return state === undefined ? made : { ...made, state };
    } finally {
      slot.release();
    }
  }

  /** A version as sites are sent it: sealed once, when it was stored, and signed once, however many they are. */
  async publish({ version, checkpoint }: ModelVersion): Promise<PublishedBlob> {
    const { modules, jobId, modelLayout } = this.#context;
    const known = this.#published;
    if (known?.version === version && isSignedBy(known.model, modules)) return known.model;
    const blob = await modules.checkpoints.published(checkpoint);
    const { tensors } = modelLayout;
    const model = await publish({ jobId, kind: "model", version, blob, tensors }, modules, modules);
    this.#published = { version, model };
    return model;
  }

  /** The model that is out, when `root` (hex) is its blob. */
  publishedBy(root: string): PublishedBlob | undefined {
    const model = this.#published?.model;
    return model !== undefined && toHex(model.reference.root) === root ? model : undefined;
  }

  /** Gives everything back; no upload may be under way. */
  close(): void {
    this.#aggregator?.release();
    this.#published = undefined;
  }

  /** Makes the server's step of the aggregate, in place. @returns the name of the optimizer's state after it */
  async #optimize(update: Bytes, { state: before }: ModelVersion): Promise<string | undefined> {
    const { checkpoints, clock } = this.#context.modules;
    const optimizer = this.#serverOptimizer();
    if (optimizer === undefined) return undefined;
    const state = before === undefined ? optimizer.start() : await checkpoints.get(before);
    await optimizer.apply(update, state, clock);
    return await checkpoints.put(state);
  }

  #serverOptimizer(): ServerOptimizer | undefined {
    const { payload, updateLayout } = this.#context;
    const definition = payload.definition.workflow.serverOptimizer;
    if (definition !== undefined) this.#optimizer ??= serverOptimizer(definition, updateLayout);
    return this.#optimizer;
  }

  /** The model plus the update: in the memory of the update where both have the same tensors. */
  async #moved(model: ModelVersion, update: Bytes): Promise<Bytes> {
    const { modelLayout, updateLayout, modules } = this.#context;
    if (updateLayout.tensors.length === modelLayout.tensors.length) {
      // a + b is b + a to the bit.
      const segments = modules.checkpoints.segments(model.checkpoint);
      await applyUpdate({ bytes: update, layout: updateLayout }, { segments, layout: modelLayout });
      return update;
    }
    const bytes = await modules.checkpoints.get(model.checkpoint);
    const segments = [{ offset: 0, bytes: update }];
    await applyUpdate({ bytes, layout: modelLayout }, { segments, layout: updateLayout });
    return bytes;
  }
}
