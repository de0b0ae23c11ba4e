import type { Evaluation } from "../../src/job/index.ts";
import type {
  PreparedTrainer,
  Trainer,
  TrainerEvaluation,
  TrainOptions,
  TrainOutcome,
  TrainRequest,
} from "../../src/site/index.ts";
import { ParameterSet, Tensor } from "../../src/tensor/index.ts";
import { seededRandom } from "../../src/testing/index.ts";

const INPUTS = 4;
const LEARNING_RATE = 0.05;
const EPOCHS = 2;

/** The examples of one site: y = x · w + b with w and b the same everywhere, x of the site's own region. */
export interface LinearData {
  readonly training: readonly LinearExample[];
  readonly heldOut: readonly LinearExample[];
}

interface LinearExample {
  readonly x: readonly number[];
  readonly y: number;
}

/** Data of a site, by its name. */
export function linearData(site: string, count = 24): LinearData {
  const random = seededRandom(`linear/${site}`);
  const shift = random.uniform() - 0.5;
  const draw = (): LinearExample => {
    const x = Array.from({ length: INPUTS }, () => random.uniform() * 2 - 1 + shift);
    const y = x.reduce((sum, value, index) => sum + value * (index - 1.5), 0.75);
    return { x, y: y + 0.01 * (random.uniform() - 0.5) };
  };
  return { training: Array.from({ length: count }, draw), heldOut: Array.from({ length: 8 }, draw) };
}

/** The starting point: zeros. */
export function initialLinearParameters(): ParameterSet {
  return new ParameterSet([
    ["weight", Tensor.f32([INPUTS], new Float32Array(INPUTS))],
    ["bias", Tensor.f32([1], new Float32Array(1))],
  ]);
}

/** Stochastic gradient descent on the squared error of a linear model, in float32, shuffled by the task's seed. */
export function trainLinear(
  data: LinearData,
  { parameters, seed, corrections, reference = parameters, proximal = 0 }: TrainRequest,
): TrainOutcome {
  const before = read(parameters);
  const held = read(reference);
  const corrected = corrections && read(corrections);
  const weight = Float32Array.from(before.weight);
  const bias = Float32Array.from(before.bias);
  const random = seededRandom(seed);
  let loss = 0;
  for (let step = 0; step < EPOCHS * data.training.length; step++) {
    const example = data.training[random.integer(data.training.length)];
    if (example === undefined) throw new RangeError("no example");
    const error = predict(weight, bias, example) - example.y;
    loss += error * error;
    const move = (values: Float32Array, index: number, gradient: number, of: "weight" | "bias"): void => {
      const now = values[index] ?? 0;
      const pull = proximal * (now - (held[of][index] ?? 0)) + (corrected?.[of][index] ?? 0);
      values[index] = now - LEARNING_RATE * (gradient + pull);
    };
    example.x.forEach((value, index) => {
      move(weight, index, 2 * error * value, "weight");
    });
    move(bias, 0, 2 * error, "bias");
  }
  const steps = EPOCHS * data.training.length;
  const delta = new ParameterSet([
    [
      "weight",
      Tensor.f32(
        [INPUTS],
        weight.map((value, index) => value - (before.weight[index] ?? 0)),
      ),
    ],
    [
      "bias",
      Tensor.f32(
        [1],
        bias.map((value, index) => value - (before.bias[index] ?? 0)),
      ),
    ],
  ]);
  return { delta, exampleCount: data.training.length, loss: loss / steps, steps };
}

/** Mean squared error, and the share of predictions within 0.25. */
export function evaluateLinear(data: LinearData, parameters: ParameterSet): Evaluation {
  const { weight, bias } = read(parameters);
  const errors = data.heldOut.map((example) => predict(weight, bias, example) - example.y);
  return {
    loss: errors.reduce((sum, error) => sum + error * error, 0) / errors.length,
    accuracy: errors.filter((error) => Math.abs(error) < 0.25).length / errors.length,
    exampleCount: errors.length,
  };
}

function read(parameters: ParameterSet): { weight: Float32Array; bias: Float32Array } {
  const weight = parameters.get("weight");
  const bias = parameters.get("bias");
  if (weight === undefined || bias === undefined) throw new RangeError("not a linear model");
  return { weight: weight.f32, bias: bias.f32 };
}

const predict = (weight: Float32Array, bias: Float32Array, { x }: LinearExample): number =>
  x.reduce((sum, value, index) => sum + value * (weight[index] ?? 0), bias[0] ?? 0);

/** What a test changes of a trainer. */
export interface LinearTrainerHooks {
  /** Before each training; a test can wait, throw or look. */
  readonly beforeTrain?: (request: TrainRequest, options: TrainOptions) => Promise<void>;
  /** Changes what was trained. */
  readonly alter?: (outcome: TrainOutcome) => TrainOutcome;
  /** Changes what was measured. */
  readonly measure?: (evaluation: Evaluation, parameters: ParameterSet) => TrainerEvaluation;
  /** What it says about itself. */
  readonly prepared?: Partial<PreparedTrainer>;
}

/** A {@link Trainer} over {@link trainLinear}. */
export function linearTrainer(data: LinearData, hooks: LinearTrainerHooks = {}): Trainer {
  return {
    prepare: (): Promise<PreparedTrainer> =>
      Promise.resolve({
        device: "cpu",
        trainingExamples: data.training.length,
        heldOutExamples: data.heldOut.length,
        ...hooks.prepared,
      }),
    evaluate: (parameters) => {
      const evaluation = evaluateLinear(data, parameters);
      return Promise.resolve(hooks.measure?.(evaluation, parameters) ?? evaluation);
    },
    async train(request, options) {
      await hooks.beforeTrain?.(request, options);
      options.signal.throwIfAborted();
      options.onProgress?.({ phase: "training", step: 1, steps: 2, loss: 1 });
      const outcome = trainLinear(data, request);
      return hooks.alter?.(outcome) ?? outcome;
    },
    close: () => Promise.resolve(),
  };
}
