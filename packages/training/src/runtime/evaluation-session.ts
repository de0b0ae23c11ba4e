import { elementCount, type ParameterSet } from "@photinus/core/tensor";
import type { CompiledEvaluation } from "../compile/index.ts";
import { Batch } from "./batch.ts";
import { feedsOf, valuesOf } from "./feeds.ts";
import type { Runtime, RuntimeSession, Tensors } from "./runtime.ts";

/** What one batch measured. */
export interface BatchMeasure {
  /** Sum of the losses of its labels. */
  readonly lossSum: number;
  /** Right answers among them; 0 where the loss knows no right ones. */
  readonly correct: number;
  /** What the model said, where the evaluation was compiled with it; valid until the next batch. */
  readonly output?: Float32Array;
}

/** How an output and its labels lie. */
export interface OutputLayout {
  /** Classes that the model tells apart; 1 for numbers. */
  readonly classCount: number;
  /** Elements of the output between two classes of one label. */
  readonly classStride: number;
  /** The class id of what does not count. */
  readonly ignoredLabel: number | undefined;
}

/** A compiled evaluation that is open on a device. */
export class EvaluationSession {
  /** The batch that {@link measure} measures. */
  readonly batch: Batch;
  /** What is open. */
  readonly compiled: CompiledEvaluation;
  readonly #runtime: Runtime;
  readonly #session: RuntimeSession;
  #parameters: Tensors = {};

  private constructor(runtime: Runtime, compiled: CompiledEvaluation, session: RuntimeSession) {
    this.#runtime = runtime;
    this.compiled = compiled;
    this.#session = session;
    this.batch = new Batch(runtime, compiled);
  }

  /** How the output and its labels lie, for metrics. */
  get layout(): OutputLayout {
    const { labelling, labels } = this.compiled;
    const { classCount = 1, ignoredLabel } = labelling;
    const { shape } = labels;
    const axis = labelling.classAxis ?? shape.length - 1;
    const classStride = elementCount(shape.slice(axis + 1));
    return { classCount, classStride, ignoredLabel };
  }

  /** Opens `compiled`. */
  static async open(runtime: Runtime, compiled: CompiledEvaluation): Promise<EvaluationSession> {
    return new EvaluationSession(runtime, compiled, await runtime.open(compiled.model, []));
  }

  /** Measures `parameters` from here on; they are kept. */
  start(parameters: ParameterSet): void {
    this.#parameters = feedsOf(this.#runtime, this.compiled.frozen, parameters);
  }

  /** Measures {@link batch}. */
  async measure(): Promise<BatchMeasure> {
    const { lossSum, correct, output } = this.compiled;
    const results = await this.#session.run({ ...this.batch.feeds, ...this.#parameters });
    return {
      lossSum: valuesOf(results[lossSum.name])[0] ?? Number.NaN,
      correct: correct === undefined ? 0 : (valuesOf(results[correct.name])[0] ?? 0),
      ...(output === undefined ? {} : { output: valuesOf(results[output.name]) }),
    };
  }

  /** Frees the session. */
  async close(): Promise<void> {
    this.#parameters = {};
    await this.#session.close();
  }
}
