import type { Aggregator } from "../aggregation/index.ts";
import { type Bytes, toHex } from "../bytes/index.ts";
import { JobError } from "../errors/index.ts";
import type { ModelVersion, StoredUpdate, TaskOrder } from "../workflow/index.ts";
import { applyUpdate } from "./apply-update.ts";
import type { JobContext } from "./job-context.ts";
import { type PublishedBlob, publish } from "./publisher.ts";
import type { UploadSlot } from "./upload-slots.ts";

/** The rule of FedAvg; jobs cannot choose another one in this version. */
const AGGREGATOR = "weighted-mean";

/**
 * The model versions of one job: the sum of a round's updates, the version that follows from it, and what is published
 * to sites. Models in memory: the sum, the published ciphertext, and what lies in staging slots; K + 2 altogether.
 */
export class Versions {
  readonly #context: JobContext;
  #published: { readonly version: number; readonly model: PublishedBlob } | undefined;
  #aggregator: Aggregator | undefined;
  /** The mean that was stored last, still in its slot: the next version is made there, without reading it back. */
  #mean: { readonly blob: string; readonly slot: UploadSlot } | undefined;

  constructor(context: JobContext) {
    this.#context = context;
  }

  /** An empty sum for a round. @throws JobError `ERR_JOB_FAILED` when the program registered no such aggregator */
  emptyAggregator(): Aggregator {
    const { updateLayout, modules } = this.#context;
    const create = modules.aggregators.get(AGGREGATOR);
    if (create === undefined) throw new JobError("ERR_JOB_FAILED", `there is no aggregator ${AGGREGATOR}`);
    this.#letMeanGo();
    this.#aggregator ??= create(updateLayout, modules);
    this.#aggregator.reset();
    return this.#aggregator;
  }

  /** Divides the sum and stores the mean. @throws AggregationError when nothing was added, or it overflows */
  async storeMean(): Promise<StoredUpdate> {
    const { modules, jobId, updateLayout, modelLayout, signal } = this.#context;
    if (this.#aggregator === undefined) throw new RangeError("no round is open");
    const slot = await modules.slots.acquire(jobId, updateLayout.byteLength, signal);
    try {
      const { update, weight } = await this.#aggregator.finish(slot.bytes);
      this.#aggregator.reset(); // gives its memory back before the next version is made
      const blob = await modules.checkpoints.put(update);
      const hasSameLayout = updateLayout.tensors.length === modelLayout.tensors.length;
      if (hasSameLayout) this.#mean = { blob, slot };
      return { blob, exampleCount: weight };
    } finally {
      if (this.#mean?.slot !== slot) slot.release();
    }
  }

  /** w ← w + Δ, stored durably and published. @param update name of the stored mean */
  async next({ round, model }: TaskOrder, update: string): Promise<ModelVersion> {
    const slot = (await this.#addToMean(model, update)) ?? (await this.#addToModel(model, update));
    this.#mean = undefined;
    try {
      this.#published = undefined; // lets the old ciphertext go before the next one is made
      const checkpoint = await this.#context.modules.checkpoints.put(slot.bytes);
      await this.#publish(round, slot.bytes);
      return { version: round, checkpoint };
    } finally {
      slot.release();
    }
  }

  /** A version as sites are sent it; sealed once, however many they are. */
  async publish(model: ModelVersion): Promise<PublishedBlob> {
    if (this.#published?.version === model.version) return this.#published.model;
    this.#published = undefined;
    const { slots, checkpoints } = this.#context.modules;
    const { jobId, modelLayout, signal } = this.#context;
    const slot = await slots.acquire(jobId, modelLayout.byteLength, signal);
    try {
      await checkpoints.get(model.checkpoint, slot.bytes);
      return await this.#publish(model.version, slot.bytes);
    } finally {
      slot.release();
    }
  }

  /** The model that is out, when `root` (hex) is its blob. */
  publishedBy(root: string): PublishedBlob | undefined {
    const model = this.#published?.model;
    return model !== undefined && toHex(model.reference.root) === root ? model : undefined;
  }

  /** Gives everything back; no upload may be under way. */
  close(): void {
    this.#letMeanGo();
    this.#aggregator?.release();
    this.#published = undefined;
  }

  /** Adds the model to the mean where that lies; `undefined` when it is not in memory (after a restart). */
  async #addToMean(model: ModelVersion, update: string): Promise<UploadSlot | undefined> {
    if (this.#mean?.blob !== update) return undefined;
    const { modelLayout: layout, modules } = this.#context;
    const { slot } = this.#mean;
    // Both layouts are the same, and a + b is b + a to the bit.
    await applyUpdate(
      { bytes: slot.bytes, layout },
      { segments: modules.checkpoints.segments(model.checkpoint), layout },
    );
    return slot;
  }

  async #addToModel(model: ModelVersion, update: string): Promise<UploadSlot> {
    const { modules, jobId, modelLayout, updateLayout, signal } = this.#context;
    this.#letMeanGo();
    const slot = await modules.slots.acquire(jobId, modelLayout.byteLength, signal);
    try {
      await modules.checkpoints.get(model.checkpoint, slot.bytes);
      const segments = modules.checkpoints.segments(update);
      await applyUpdate({ bytes: slot.bytes, layout: modelLayout }, { segments, layout: updateLayout });
      return slot;
    } catch (error) {
      slot.release();
      throw error;
    }
  }

  async #publish(version: number, bytes: Bytes): Promise<PublishedBlob> {
    const { modules, jobId, payload, modelLayout } = this.#context;
    const { chunkBytes } = payload.definition;
    const { tensors } = modelLayout;
    const model = await publish(
      { jobId, kind: "model", version, bytes, chunkBytes, tensors },
      modules,
      modules,
    );
    this.#published = { version, model };
    return model;
  }

  #letMeanGo(): void {
    this.#mean?.slot.release();
    this.#mean = undefined;
  }
}
