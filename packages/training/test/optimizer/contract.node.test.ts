// Runs in Node only: onnxruntime-node computes the steps.
import type { OptimizerDefinition } from "@photinus/core/job";
import { describe, expect, test } from "vitest";
import type { StepOptions } from "../../src/compile/index.ts";
import { type Optimizer, optimizerOf, type Update } from "../../src/optimizer/index.ts";
import { firstOf, linearData, linearParameters, withLinear } from "../reference/linear-model.ts";
import { type Walker, walk } from "../reference/optimizers.ts";
import recorded from "../vectors/torch-optimizers/optimizers.json" with { type: "json" };

interface Case {
  readonly name: string;
  readonly optimizer: OptimizerDefinition;
  readonly clippingNorm?: number;
  readonly proximal?: number;
  readonly rates?: readonly number[];
  readonly biasGroup?: { readonly learningRateFactor: number; readonly weightDecay: number };
  readonly losses: readonly number[];
  readonly parameters: { readonly weight: readonly number[]; readonly bias: readonly number[] };
}

const CASES = recorded.cases as unknown as readonly Case[]; // written by make.py
const { x, y, start } = recorded;
const STEPS = CASES[0]!.losses.length;
/** Of the losses, relative to the first, per step; of the parameters: float32 over twelve steps. */
const [LOSS_TOLERANCE, TOLERANCE] = [2e-6, 2e-5];

function optionsOf({ optimizer, clippingNorm, proximal, rates, biasGroup }: Case): Partial<StepOptions> {
  return {
    optimizer,
    ...(clippingNorm === undefined ? {} : { clippingNorm }),
    ...(proximal === undefined ? {} : { proximal }),
    ...(rates === undefined ? {} : { hasVaryingRate: true }),
    ...(biasGroup === undefined ? {} : { groups: [{ parameters: ["*bias"], ...biasGroup }] }),
  };
}

/** Losses before each step and parameters behind the last, of the compiled graph. */
async function descend(given: Case, changes: Partial<StepOptions> = {}) {
  const { learningRate } = given.optimizer;
  return withLinear({ ...optionsOf(given), ...changes }, async (session) => {
    session.start(linearParameters(start.weight, start.bias));
    session.batch.fill(linearData(x, y), firstOf(8));
    const losses: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      losses.push(await session.step(learningRate * (given.rates?.[step] ?? 1)));
    }
    const parameters = await session.parameters();
    return { losses, values: [...parameters.get("weight")!.f32, ...parameters.get("bias")!.f32] };
  });
}

/** How far the values are from torch's, as a multiple of the tolerance. */
function distance(given: Case, { values }: { values: readonly number[] }): number {
  const expected = [...given.parameters.weight, ...given.parameters.bias];
  const differences = values.map((value, index) => Math.abs(value - expected[index]!) / TOLERANCE);
  return Math.max(...differences);
}

/** The same descent in plain float64. */
function reference({ optimizer, clippingNorm, proximal = 0, rates, biasGroup }: Case): number[] {
  const initial = [...start.weight, ...start.bias];
  const walkers: Walker[] = initial.map((value) => ({ value, memory: {} }));
  for (let step = 0; step < STEPS; step++) {
    const gradients = walkers.map(({ value }, at) => proximal * (value - initial[at]!));
    for (let row = 0; row < 8; row++) {
      for (const column of [0, 1]) {
        const input = [0, 1, 2].map((k) => x[3 * row + k]!);
        const said = input.reduce((sum, number, k) => sum + number * walkers[2 * k + column]!.value, 0);
        const slope = (2 / 16) * (said + walkers[6 + column]!.value - y[2 * row + column]!);
        input.forEach((number, k) => {
          gradients[2 * k + column]! += slope * number;
        });
        gradients[6 + column]! += slope;
      }
    }
    const norm = Math.hypot(...gradients);
    const factor = clippingNorm === undefined ? 1 : Math.min(1, clippingNorm / (norm + 1e-6));
    walkers.forEach((walker, at) => {
      const group = at >= 6 ? biasGroup : undefined;
      const constants = group === undefined ? optimizer : { ...optimizer, weightDecay: group.weightDecay };
      const rate = optimizer.learningRate * (rates?.[step] ?? 1) * (group?.learningRateFactor ?? 1);
      walk(walker, gradients[at]! * factor, { constants, rate, update: step + 1 });
    });
  }
  return walkers.map(({ value }) => value);
}

describe.each(CASES)("$name", (given) => {
  test("takes PyTorch's steps in float32, and the reference in float64 takes the same", async () => {
    const outcome = await descend(given);

    outcome.losses.forEach((loss, step) => {
      const tolerance = LOSS_TOLERANCE * (step + 1) * given.losses[0]!;
      expect(Math.abs(loss - given.losses[step]!)).toBeLessThan(tolerance);
    });
    expect(distance(given, outcome)).toBeLessThan(1);
    expect(distance(given, { values: reference(given) })).toBeLessThan(1e-5);
  });
});

/** What an optimizer would be with its update changed. */
const changed =
  (change: (update: Update, original: Optimizer) => string) =>
  (constants: OptimizerDefinition): Optimizer => {
    const original = optimizerOf(constants);
    return { ...original, update: (update) => change(update, original) };
  };

const withoutCorrection = changed((update, { update: original }) =>
  original({ ...update, scalar: (name, at) => update.scalar(name, () => at(1e6)) }),
);
const forgetful = changed((update, { update: original }) =>
  original({
    ...update,
    state: (name, next) => update.state(name, (before) => next(update.algebra.mul(before, 0))),
  }),
);
const withEpsilonInside =
  (epsilon: number) =>
  (constants: OptimizerDefinition): Optimizer =>
    changed((update, { update: original }) => {
      const algebra = Object.create(update.algebra) as Update["algebra"];
      const apply: typeof algebra.apply = (operator, ...operands) =>
        operator === "Sqrt"
          ? update.algebra.sub(
              update.algebra.apply("Sqrt", update.algebra.add(operands[0]!, epsilon)),
              epsilon,
            )
          : update.algebra.apply(operator, ...operands);
      Object.defineProperty(algebra, "apply", { value: apply });
      for (const name of ["add", "sub", "mul", "div"] as const) {
        Object.defineProperty(algebra, name, { value: update.algebra[name].bind(update.algebra) });
      }
      return original({ ...update, algebra });
    })(constants);
const withOtherDecay = (constants: OptimizerDefinition): Optimizer => {
  const original = optimizerOf(constants);
  return { ...original, decays: original.decays === "gradient" ? "parameter" : "gradient" };
};
const withoutNesterov = (constants: OptimizerDefinition): Optimizer =>
  optimizerOf(constants.name === "sgd" ? { ...constants, nesterov: false } : constants);

describe("the contract catches", () => {
  test.each([
    ["Adam without its corrections", "adam", withoutCorrection],
    ["AdamW without its corrections", "adamw", withoutCorrection],
    [
      "Adam with epsilon inside the root",
      "adam with a large epsilon and weight decay",
      withEpsilonInside(0.05),
    ],
    ["Adagrad with epsilon inside the root", "adagrad with weight decay", withEpsilonInside(0.05)],
    ["RMSProp with epsilon inside the root", "rmsprop with momentum", withEpsilonInside(0.05)],
    ["SGD that forgets its velocity", "sgd with momentum", forgetful],
    ["Adam that forgets", "adam", forgetful],
    ["Adagrad that forgets", "adagrad", forgetful],
    ["RMSProp that forgets", "rmsprop", forgetful],
    ["Lion that forgets", "lion", forgetful],
    ["AdamW whose decay is in the gradient", "adamw", withOtherDecay],
    ["Adam whose decay is beside it", "adam with a large epsilon and weight decay", withOtherDecay],
    ["Lion whose decay is in the gradient", "lion with weight decay", withOtherDecay],
    ["SGD without Nesterov's look ahead", "sgd with Nesterov's momentum", withoutNesterov],
  ])("%s", async (_, name, mutant) => {
    const given = CASES.find((other) => other.name === name)!;
    const optimizerOfMutant = (constants: OptimizerDefinition | object) =>
      mutant(constants as OptimizerDefinition); // the case's own

    expect(distance(given, await descend(given, { optimizerOf: optimizerOfMutant }))).toBeGreaterThan(10);
  });

  test.each([
    ["gradients that are not clipped", "sgd, clipped", { clippingNorm: 1e9 }],
    ["a start that does not hold", "sgd, drawn towards its start", { proximal: 1e-9 }],
    ["a bias that is no group", "adamw with a bias that does not decay", { groups: [] }],
    ["a velocity with the rate inside while it falls", "sgd while the rate falls", { hasVaryingRate: false }],
  ])("%s", async (_, name, changes) => {
    const given = CASES.find((other) => other.name === name)!;

    expect(distance(given, await descend(given, changes))).toBeGreaterThan(10);
  });
});
