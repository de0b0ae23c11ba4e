import { elementCount, ParameterSet, Tensor } from "@photinus/core/tensor";
import type { CompiledStep, StateSlot } from "../compile/index.ts";
import { Batch } from "./batch.ts";
import { download } from "./download.ts";
import { feedsOf, valuesOf } from "./feeds.ts";
import type { Runtime, RuntimeSession, RuntimeTensor, Tensors } from "./runtime.ts";

/** A compiled training step that is open on a device, with the states between steps. */
export class StepSession {
  /** The batch of the next step. */
  readonly batch: Batch;
  readonly #runtime: Runtime;
  readonly #compiled: CompiledStep;
  readonly #session: RuntimeSession;
  #states: ReadonlyMap<string, RuntimeTensor> = new Map();
  #spare: ReadonlyMap<string, RuntimeTensor> | undefined;
  #frozen: Tensors = {};

  private constructor(runtime: Runtime, compiled: CompiledStep, session: RuntimeSession) {
    this.#runtime = runtime;
    this.#compiled = compiled;
    this.#session = session;
    this.batch = new Batch(runtime, compiled);
  }

  /** Opens `compiled`; states stay on the device where the runtime can keep them. */
  static async open(runtime: Runtime, compiled: CompiledStep): Promise<StepSession> {
    const stay = runtime.keepsStates ? compiled.states.map(({ output }) => output) : [];
    return new StepSession(runtime, compiled, await runtime.open(compiled.model, stay));
  }

  /** Starts from `parameters`, which are copied; states of the optimizer start as zeros. */
  start(parameters: ParameterSet): void {
    this.#release(this.#states);
    const { states, frozen } = this.#compiled;
    this.#states = new Map(states.map((slot) => [slot.input, this.#initial(slot, parameters)]));
    this.#spare = this.#runtime.writesInPlace
      ? new Map(states.map((slot) => [slot.output, this.#zeros(slot)]))
      : undefined;
    this.#frozen = feedsOf(this.#runtime, frozen, parameters);
  }

  /** Takes one step on {@link batch}. @returns the loss of the batch before the step; may be NaN */
  async step(learningRate: number): Promise<number> {
    const { states, loss } = this.#compiled;
    const rate = this.#runtime.tensor(Float32Array.of(learningRate), []);
    const feeds: Tensors = {
      ...this.batch.feeds,
      ...this.#frozen,
      ...Object.fromEntries(this.#states),
      [this.#compiled.learningRate.name]: rate,
    };
    const results = await this.#session.run(feeds, this.#outputs());
    const before = this.#states;
    this.#states = new Map(
      states.map(({ input, output }) => [input, results[output] ?? this.#stateOf(input)]),
    );
    this.#recycle(before);
    return valuesOf(results[loss.name])[0] ?? Number.NaN;
  }

  /** The parameters as they are; the memory is the caller's own. */
  async parameters(): Promise<ParameterSet> {
    const slots = this.#compiled.states.filter(({ role }) => role === "parameter");
    const held = slots.map(({ input, dtype, shape }) => ({ dtype, shape, tensor: this.#stateOf(input) }));
    const values = await download(this.#runtime, held);
    return new ParameterSet(
      slots.map(({ parameter, shape }, index) => [
        parameter,
        Tensor.f32(shape, values[index] ?? new Float32Array()),
      ]),
    );
  }

  /** Frees device memory and session. */
  async close(): Promise<void> {
    this.#release(this.#states);
    this.#states = new Map();
    await this.#session.close();
  }

  #initial(slot: StateSlot, parameters: ParameterSet): RuntimeTensor {
    if (slot.role === "optimizer") return this.#zeros(slot);
    const tensor = parameters.get(slot.parameter);
    if (tensor === undefined) throw new RangeError(`no parameter ${slot.parameter}`);
    return this.#runtime.tensor(new Float32Array(tensor.f32), slot.shape);
  }

  #zeros({ shape }: StateSlot): RuntimeTensor {
    return this.#runtime.tensor(new Float32Array(elementCount(shape)), shape);
  }

  #stateOf(input: string): RuntimeTensor {
    const tensor = this.#states.get(input);
    if (tensor === undefined) throw new RangeError("start() comes before step()");
    return tensor;
  }

  /** Where the runtime writes in place, two sets of states take turns: no step takes memory. */
  #outputs(): Tensors | undefined {
    if (this.#spare === undefined) return undefined;
    const loss = this.#runtime.tensor(new Float32Array(1), []);
    return { ...Object.fromEntries(this.#spare), [this.#compiled.loss.name]: loss };
  }

  #recycle(before: ReadonlyMap<string, RuntimeTensor>): void {
    if (this.#spare === undefined) {
      this.#release(before);
      return;
    }
    this.#spare = new Map(
      this.#compiled.states.flatMap(({ input, output }) => {
        const tensor = before.get(input);
        return tensor === undefined ? [] : [[output, tensor] as const];
      }),
    );
  }

  #release(states: ReadonlyMap<string, RuntimeTensor>): void {
    for (const tensor of states.values()) if (tensor.location === "gpu-buffer") tensor.dispose();
  }
}
