import { elementCount, ParameterSet, Tensor } from "@photinus/core/tensor";
import type { CompiledStep, StateSlot } from "../compile/index.ts";
import { Batch } from "./batch.ts";
import { download } from "./download.ts";
import { DropoutMasks } from "./dropout-masks.ts";
import { feedsOf, valuesOf } from "./feeds.ts";
import type { Runtime, RuntimeSession, RuntimeTensor, Tensors } from "./runtime.ts";

/** What one step is fed, and where it writes. */
interface Turn {
  readonly feeds: Record<string, RuntimeTensor>;
  /** Absent where the runtime makes new tensors. */
  readonly into?: Tensors;
}

/** What a training may bring beside the parameters that it starts from. */
export interface StartOptions {
  /** Added to the gradients, where the step was compiled with them; kept. */
  readonly corrections?: ParameterSet;
  /** What the pull of the step holds the parameters at. Default: the parameters themselves; kept. */
  readonly reference?: ParameterSet;
  /** How strong that pull is. Default: as the step was compiled. */
  readonly proximal?: number;
}

/** A compiled training step that is open on a device, with the states between steps. */
export class StepSession {
  /** The batch of the next step. */
  readonly batch: Batch;
  readonly #runtime: Runtime;
  readonly #compiled: CompiledStep;
  readonly #session: RuntimeSession;
  readonly #learningRate = new Float32Array(1);
  readonly #closes = new Float32Array(1);
  readonly #proximal = new Float32Array(1);
  readonly #scalars: readonly Float32Array[];
  readonly #masks: DropoutMasks;
  /**
   * Where the runtime writes in place, two sets of states take turns; else there is one turn, whose states are replaced.
   * Nothing is made anew for a step: for a small model, that would be a fifth of its time.
   */
  #turns: readonly Turn[] = [];
  #steps = 0;
  #updates = 0;
  #hasUpdated = false;
  #holdsGathered = false;

  private constructor(runtime: Runtime, compiled: CompiledStep, session: RuntimeSession) {
    this.#runtime = runtime;
    this.#compiled = compiled;
    this.#session = session;
    this.batch = new Batch(runtime, compiled);
    this.#masks = new DropoutMasks(runtime, compiled.masks);
    this.#scalars = compiled.scalars.map(() => new Float32Array(1));
  }

  /** Opens `compiled`; states stay on the device where the runtime can keep them. */
  static async open(runtime: Runtime, compiled: CompiledStep): Promise<StepSession> {
    const stay = runtime.keepsStates ? compiled.states.map(({ output }) => output) : [];
    return new StepSession(runtime, compiled, await runtime.open(compiled.model, stay));
  }

  /** Whether the last step changed the parameters: false where gradients are gathered, or were not finite. */
  get hasUpdated(): boolean {
    return this.#hasUpdated;
  }

  /**
   * Starts from `parameters`, which are copied; states of the optimizer start as zeros.
   * @param seed of the masks of Dropout, an unsigned 32-bit integer
   * @param options what this training brings besides
   */
  start(parameters: ParameterSet, seed: number = 0, options: StartOptions = {}): void {
    this.#masks.start(seed);
    this.#releaseStates();
    this.#steps = 0;
    this.#updates = 0;
    this.#holdsGathered = false;
    const { states, loss } = this.#compiled;
    const shared = this.#sharedFeeds(parameters, options);
    this.#proximal[0] = options.proximal ?? this.#compiled.proximal?.value ?? 0;
    const initial = states.map((slot) => this.#initial(slot, parameters));
    if (!this.#runtime.writesInPlace) {
      this.#turns = [{ feeds: { ...shared, ...byName(states, "input", initial) } }];
      return;
    }
    const spare = states.map((slot) => this.#zeros(slot));
    const { updated } = this.#compiled;
    const read = updated === undefined ? [loss] : [loss, updated];
    const scalars = Object.fromEntries(
      read.map(({ name }) => [name, this.#runtime.tensor(new Float32Array(1), [])]),
    );
    const turn = (from: readonly RuntimeTensor[], to: readonly RuntimeTensor[]): Turn => ({
      feeds: { ...shared, ...byName(states, "input", from) },
      into: { ...byName(states, "output", to), ...scalars },
    });
    this.#turns = [turn(initial, spare), turn(spare, initial)];
  }

  /**
   * Takes one step on {@link batch}.
   * @param closes where the step was compiled to gather gradients: 0, or what they are multiplied with to become an update
   * @returns the loss of the batch before the step; may be NaN
   */
  async step(learningRate: number, closes: number = 1): Promise<number> {
    const { loss, updated, scalars } = this.#compiled;
    this.#learningRate[0] = learningRate;
    this.#closes[0] = closes;
    this.#scalars.forEach((memory, index) => {
      memory[0] = scalars[index]?.at(this.#updates + 1) ?? 0;
    });
    this.#masks.draw();
    const turn = this.#turn();
    const results = await this.#session.run(turn.feeds, turn.into);
    this.#steps++;
    if (turn.into === undefined) this.#replaceStates(turn.feeds, results);
    this.#hasUpdated = updated === undefined || valuesOf(results[updated.name])[0] === 1;
    if (this.#hasUpdated) this.#updates++;
    this.#holdsGathered = this.#compiled.closes !== undefined && closes === 0;
    return valuesOf(results[loss.name])[0] ?? Number.NaN;
  }

  /** Lets go of what was gathered for an update that did not come: of a call that was aborted before it. */
  forgetGathered(): void {
    if (!this.#holdsGathered) return;
    this.#holdsGathered = false;
    const { feeds, into } = this.#turn();
    for (const slot of this.#compiled.states.filter(({ role }) => role === "gathered")) {
      const held = feeds[slot.input];
      if (into !== undefined)
        valuesOf(held).fill(0); // what the turn after this one writes into
      else {
        if (held?.location === "gpu-buffer") held.dispose();
        feeds[slot.input] = this.#zeros(slot);
      }
    }
  }

  /** The parameters as they are; the memory is the caller's own. */
  async parameters(): Promise<ParameterSet> {
    const { feeds } = this.#turn();
    const held = this.#compiled.states.flatMap(({ role, parameter, input, dtype, shape }) => {
      const tensor = feeds[input];
      return role === "parameter" && tensor !== undefined ? [{ parameter, dtype, shape, tensor }] : [];
    });
    const values = await download(this.#runtime, held);
    return new ParameterSet(
      held.map(({ parameter, shape }, index) => [
        parameter,
        Tensor.f32(shape, values[index] ?? new Float32Array()),
      ]),
    );
  }

  /** Frees device memory and session. */
  async close(): Promise<void> {
    this.#releaseStates();
    this.#turns = [];
    await this.#session.close();
  }

  /** What is fed to every step from the same memory. */
  #sharedFeeds(
    parameters: ParameterSet,
    { corrections = new ParameterSet([]), reference = parameters }: StartOptions,
  ): Tensors {
    const { frozen, learningRate, references, closes, proximal, scalars } = this.#compiled;
    const runtime = this.#runtime;
    return {
      ...this.batch.feeds,
      ...this.#masks.feeds,
      ...feedsOf(runtime, frozen, parameters),
      ...feedsOf(runtime, references, reference),
      ...feedsOf(runtime, this.#compiled.corrections, corrections),
      [learningRate.name]: runtime.tensor(this.#learningRate, []),
      ...(proximal === undefined ? {} : { [proximal.name]: runtime.tensor(this.#proximal, []) }),
      ...(closes === undefined ? {} : { [closes.name]: runtime.tensor(this.#closes, []) }),
      ...Object.fromEntries(
        scalars.map(({ name }, index) => [
          name,
          runtime.tensor(this.#scalars[index] ?? new Float32Array(1), []),
        ]),
      ),
    };
  }

  #turn(): Turn {
    const turn = this.#turns[this.#steps % this.#turns.length];
    if (turn === undefined) throw new TypeError("start() comes first");
    return turn;
  }

  #initial(slot: StateSlot, parameters: ParameterSet): RuntimeTensor {
    if (slot.role !== "parameter") return this.#zeros(slot);
    const tensor = parameters.get(slot.parameter);
    if (tensor === undefined) throw new RangeError(`no parameter ${slot.parameter}`);
    return this.#runtime.tensor(new Float32Array(tensor.f32), slot.shape);
  }

  #zeros({ shape }: StateSlot): RuntimeTensor {
    return this.#runtime.tensor(new Float32Array(elementCount(shape)), shape);
  }

  #replaceStates(feeds: Record<string, RuntimeTensor>, results: Tensors): void {
    for (const { input, output } of this.#compiled.states) {
      const [before, after] = [feeds[input], results[output]];
      if (after === undefined) continue;
      if (before?.location === "gpu-buffer") before.dispose();
      feeds[input] = after;
    }
  }

  #releaseStates(): void {
    for (const { feeds } of this.#turns) {
      for (const { input } of this.#compiled.states) {
        const tensor = feeds[input];
        if (tensor?.location === "gpu-buffer") tensor.dispose();
      }
    }
  }
}

function byName(
  slots: readonly StateSlot[],
  side: "input" | "output",
  tensors: readonly RuntimeTensor[],
): Tensors {
  return Object.fromEntries(
    slots.flatMap((slot, index) => {
      const tensor = tensors[index];
      return tensor === undefined ? [] : [[slot[side], tensor]];
    }),
  );
}
