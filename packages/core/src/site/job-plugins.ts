import { jobFacts, type ResourceNeed, resourceFacts } from "../job/index.ts";
import type { Task } from "../message/index.ts";
import {
  type JobFacts,
  type PluginHost,
  participantFacts,
  type TaskFacts,
  type TaskResultFacts,
  tensorFacts,
  type VetoOptions,
} from "../plugin/index.ts";
import type { TensorLayout } from "../tensor/index.ts";
import type { OfferedJob } from "./options.ts";

/** A result as it would leave. */
export interface Leaving
  extends Partial<Pick<TaskResultFacts, "norm" | "exampleCount">>,
    Pick<TaskResultFacts, "tellsMetrics"> {
  /** None of an evaluation. */
  readonly tensors?: TensorLayout["tensors"];
}

/** What the plug-ins of a site are asked and told about one job. */
export class JobPlugins {
  readonly #plugins: PluginHost;
  readonly #site: string;
  readonly #job: JobFacts;
  readonly #options: VetoOptions;

  /** @param over aborted when the job has ended */
  constructor(
    offered: OfferedJob,
    { plugins, siteName }: { readonly plugins: PluginHost; readonly siteName: string },
    over: AbortSignal,
  ) {
    this.#plugins = plugins;
    this.#site = siteName;
    this.#job = jobFacts({ ...offered, submitter: participantFacts(offered.submitter) });
    this.#options = { signal: over, correlation: offered.jobId };
  }

  /** Before the job is taken, and has its place. @throws PluginError `ERR_PLUGIN_REFUSED` */
  async beforeDeployment(need: ResourceNeed = {}): Promise<void> {
    const { jobId } = this.#job;
    await this.#plugins.require("deployment", { job: this.#job, site: this.#site }, this.#options);
    await this.#plugins.require("resourceCheck", resourceFacts(jobId, need, this.#site), this.#options);
  }

  /** Before a model is trained. @throws PluginError `ERR_PLUGIN_REFUSED` */
  async beforeTask(task: Task, { tensors }: TensorLayout, signal: AbortSignal): Promise<void> {
    const facts = this.#taskFacts(task);
    this.#plugins.emit("task", facts);
    const data = { ...facts, tensors: tensorFacts(tensors) };
    await this.#plugins.require("taskData", data, { ...this.#options, signal });
  }

  /** Before a result leaves. @throws PluginError `ERR_PLUGIN_REFUSED` */
  async beforeResult(task: Task, leaving: Leaving): Promise<void> {
    const { tensors = [], norm = 0, exampleCount = 0, tellsMetrics } = leaving;
    const told = { tensors: tensorFacts(tensors), norm, exampleCount, tellsMetrics };
    const facts = { ...this.#taskFacts(task), ...told };
    await this.#plugins.require("taskResult", facts, this.#options);
    this.#plugins.emit("resultSent", facts);
  }

  /** The site takes part, or does not. */
  decided(reason = ""): void {
    const accepts = reason === "";
    this.#plugins.emit("jobDecided", { job: this.#job, site: this.#site, accepts, reason });
  }

  /** The job is over here. */
  ended(): void {
    this.#plugins.emit("jobEnded", { job: this.#job, outcome: "ended" });
  }

  #taskFacts({ taskId, kind, round, version }: Task): TaskFacts {
    return { job: this.#job, site: this.#site, taskId, kind, round, version };
  }
}
