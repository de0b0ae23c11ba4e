import {
  type Aggregate,
  type AggregationDefinition,
  type Aggregator,
  controlVariates,
  type ServerStep,
  serverOptimizer,
} from "../aggregation/index.ts";
import { type Bytes, toHex } from "../bytes/index.ts";
import { JobError } from "../errors/index.ts";
import type { JobDefinition } from "../job/index.ts";
import type { ModelVersion, TaskOrder } from "../workflow/index.ts";
import { applyUpdate } from "./apply-update.ts";
import type { JobContext } from "./job-context.ts";
import { isSignedBy, type PublishedBlob, publish } from "./publisher.ts";

/** The rule of FedAvg, and that of SCAFFOLD, where a job names none. */
function aggregationOf({ aggregation, workflow }: JobDefinition): AggregationDefinition {
  if (workflow.name === "scaffold") return { name: "weighted-mean", weights: "equal" };
  return aggregation ?? { name: "weighted-mean" };
}

/**
 * The model versions of one job: the sum of a round's updates, the version that follows from it, and what is published
 * to sites. Models in memory: the sum and what lies in staging slots, K + 1 altogether; what sites are sent is read from
 * storage.
 */
export class Versions {
  readonly #context: JobContext;
  #published: { readonly version: number; readonly model: PublishedBlob } | undefined;
  #aggregator: Aggregator | undefined;
  #step: ServerStep | undefined;
  #control: { readonly version: number; readonly blob: PublishedBlob } | undefined;

  constructor(context: JobContext) {
    this.#context = context;
  }

  /** An empty aggregate for a round. @param sites how many were asked @throws JobError `ERR_JOB_FAILED` when the program registered no such aggregator */
  emptyAggregator(sites: number): Aggregator {
    const { updateLayout, modules, payload } = this.#context;
    const aggregation = aggregationOf(payload.definition);
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
    const { modules, jobId, updateLayout, signal } = this.#context;
    if (this.#aggregator === undefined) throw new RangeError("no round is open");
    const slot = await modules.slots.acquire(jobId, updateLayout.byteLength, signal);
    try {
      const aggregate = await this.#aggregator.finish(slot.bytes);
      this.#aggregator.reset(); // gives its memory back before more is asked for
      const state = await this.#takeStep(aggregate, model);
      const change = aggregate.update.subarray(0, this.#context.changeLayout.byteLength);
      const bytes = await this.#moved(model, change);
      const made = {
        version: round,
        checkpoint: await modules.checkpoints.putPublished(bytes, this.#form()),
      };
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

  /** The control variate that goes with a version of SCAFFOLD, as sites are sent it; before the first round there is none. */
  async publishControl({ version, state }: ModelVersion): Promise<PublishedBlob | undefined> {
    const { modules, jobId, payload, changeLayout } = this.#context;
    if (payload.definition.workflow.name !== "scaffold" || state === undefined) return undefined;
    const known = this.#control;
    if (known?.version === version && isSignedBy(known.blob, modules)) return known.blob;
    const stored = await modules.checkpoints.published(state);
    const { tensors } = changeLayout;
    const options = { jobId, kind: "control", version, blob: stored, tensors } as const;
    const blob = await publish(options, modules, modules);
    this.#control = { version, blob };
    return blob;
  }

  /** What is out, when `root` (hex) is its blob. */
  publishedBy(root: string): PublishedBlob | undefined {
    const out = [this.#published?.model, this.#control?.blob];
    return out.find((blob) => blob !== undefined && toHex(blob.reference.root) === root);
  }

  /** Gives everything back; no upload may be under way. */
  close(): void {
    this.#aggregator?.release();
    this.#published = undefined;
    this.#control = undefined;
  }

  /** Makes the server's step of the aggregate, in place. @returns the name of what it keeps for the next round */
  async #takeStep(
    { update, contributions }: Aggregate,
    { state: before }: ModelVersion,
  ): Promise<string | undefined> {
    const { checkpoints, clock } = this.#context.modules;
    const step = this.#serverStep();
    if (step === undefined) return undefined;
    const state = before === undefined ? step.start() : await checkpoints.get(before);
    await step.apply(update, state, { clock, contributions });
    return await checkpoints.putPublished(state, this.#form());
  }

  #serverStep(): ServerStep | undefined {
    const { payload, changeLayout } = this.#context;
    const { workflow, deployment } = payload.definition;
    const { serverOptimizer: optimizer } = workflow;
    if (workflow.name === "scaffold") {
      const sites = deployment?.sites?.length ?? 0; // a job of SCAFFOLD names them
      this.#step ??= controlVariates(changeLayout, sites);
    } else if (optimizer !== undefined) this.#step ??= serverOptimizer(optimizer, changeLayout);
    return this.#step;
  }

  #form(): { readonly project: string; readonly chunkBytes: number } {
    const { modules, payload } = this.#context;
    return { project: modules.project, chunkBytes: payload.definition.chunkBytes };
  }

  /** The model plus the update: in the memory of the update where both have the same tensors. */
  async #moved(model: ModelVersion, update: Bytes): Promise<Bytes> {
    const { modelLayout, changeLayout, modules } = this.#context;
    if (changeLayout.tensors.length === modelLayout.tensors.length) {
      // a + b is b + a to the bit.
      const segments = modules.checkpoints.segments(model.checkpoint);
      await applyUpdate({ bytes: update, layout: changeLayout }, { segments, layout: modelLayout });
      return update;
    }
    const bytes = await modules.checkpoints.get(model.checkpoint);
    const segments = [{ offset: 0, bytes: update }];
    await applyUpdate({ bytes, layout: modelLayout }, { segments, layout: changeLayout });
    return bytes;
  }
}
