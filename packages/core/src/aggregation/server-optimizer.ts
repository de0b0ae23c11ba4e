import type { Bytes } from "../bytes/index.ts";
import { elementCount, matchesPattern, type TensorLayout } from "../tensor/index.ts";
import type { ServerOptimizerDefinition } from "./server-optimizer-definition.ts";
import type { ServerStep } from "./server-step.ts";
import { blocksOf, floatsOf } from "./update.ts";

type Floats = Float32Array<ArrayBuffer>;

/** One kind of server optimizer. */
interface Rule {
  /** What the states start as; one model of memory each. */
  readonly initial: readonly number[];
  /** Turns the aggregate Δ into the step of the model, in place, and moves the states on. */
  readonly step: (delta: Floats, states: readonly Floats[]) => void;
}

/** The optimizer that a job names, for updates of this layout, whose tensors are f32. */
export function serverOptimizer(definition: ServerOptimizerDefinition, layout: TensorLayout): ServerStep {
  const { initial, step } = ruleOf(definition);
  const stateBytes = initial.length * layout.byteLength;
  const stateOf = (state: Bytes, index: number): Floats =>
    floatsOf(state.subarray(index * layout.byteLength, (index + 1) * layout.byteLength));
  const spans = optimizedSpans(layout, definition.averaged ?? []);
  return {
    stateBytes,
    start() {
      const state = new Uint8Array(stateBytes);
      initial.forEach((value, index) => {
        stateOf(state, index).fill(value);
      });
      return state;
    },
    async apply(update, state, { clock }) {
      if (state.byteLength !== stateBytes) throw new RangeError("a state of another length");
      const states = initial.map((_value, index) => stateOf(state, index));
      for (const { from, to } of spans) {
        const cut = (floats: Floats): Floats => floats.subarray(from, to);
        for await (const { start, values } of blocksOf(cut(floatsOf(update)), clock)) {
          const parts = states.map((floats) => cut(floats).subarray(start, start + values.length));
          step(values, parts);
        }
      }
    },
  };
}

/** Runs of floats that the optimizer moves: all but those of tensors that are averaged as they are. */
function optimizedSpans(
  { tensors }: TensorLayout,
  averaged: readonly string[],
): readonly { readonly from: number; readonly to: number }[] {
  const moved = tensors.filter(({ name }) => !averaged.some((pattern) => matchesPattern(pattern, name)));
  return moved.map(({ offset, shape }) => ({ from: offset / 4, to: offset / 4 + elementCount(shape) }));
}

/** What is kept of a state: sums of absurd updates stay finite, so that a coordinate recovers from them. */
const bounded = (value: number): number => Math.fround(Math.max(-GREATEST, Math.min(GREATEST, value)));
const GREATEST = 3e38;

/** Every state is float32: what is kept between rounds is what the next one goes on with, to the bit. */
function ruleOf(definition: ServerOptimizerDefinition): Rule {
  if (definition.name === "momentum") {
    const { learningRate = 1, momentum = 0.9, nesterov = false } = definition;
    return momentumRule({ learningRate, momentum, nesterov });
  }
  const { name, learningRate, beta2 = 0.99, tau = 1e-3 } = definition;
  const { beta1 = name === "adagrad" ? 0 : 0.9 } = definition;
  return adaptiveRule(SECOND_MOMENTS[name], { learningRate, beta1, beta2, tau });
}

/**
 * v ← β v + Δ; w ← w + η v (Hsu et al. 2019, section 4.2), or, looking ahead, w ← w + η (Δ + β v) (Sutskever et al. 2013, in
 * the form of PyTorch, which DiLoCo uses).
 */
function momentumRule(options: { learningRate: number; momentum: number; nesterov: boolean }): Rule {
  const { learningRate, momentum, nesterov } = options;
  return {
    initial: [0],
    step(delta, [velocity = new Float32Array()]) {
      for (let index = 0; index < delta.length; index++) {
        const change = delta[index] ?? 0;
        const next = bounded(momentum * (velocity[index] ?? 0) + change);
        velocity[index] = next;
        delta[index] = bounded(learningRate * (nesterov ? change + momentum * next : next));
      }
    },
  };
}

/** v_t of Δ² and v_{t-1}: Reddi et al. 2021, algorithm 2, lines 10 to 12. */
type SecondMoment = (before: number, square: number, beta2: number) => number;

const SECOND_MOMENTS: Readonly<Record<"adagrad" | "adam" | "yogi", SecondMoment>> = {
  adagrad: (before, square) => before + square,
  adam: (before, square, beta2) => beta2 * before + (1 - beta2) * square,
  yogi: (before, square, beta2) => before - (1 - beta2) * square * Math.sign(before - square),
};

/** m ← β₁ m + (1 − β₁) Δ; v by the table; w ← w + η m / (√v + τ), from m = 0 and v = τ². */
function adaptiveRule(
  secondMoment: SecondMoment,
  options: { learningRate: number; beta1: number; beta2: number; tau: number },
): Rule {
  const { learningRate, beta1, beta2, tau } = options;
  return {
    initial: [0, tau * tau],
    step(delta, [mean = new Float32Array(), square = new Float32Array()]) {
      for (let index = 0; index < delta.length; index++) {
        const change = delta[index] ?? 0;
        const m = bounded(beta1 * (mean[index] ?? 0) + (1 - beta1) * change);
        const v = bounded(secondMoment(square[index] ?? 0, change * change, beta2));
        mean[index] = m;
        square[index] = v;
        delta[index] = bounded((learningRate * m) / (Math.sqrt(v) + tau));
      }
    },
  };
}
