import { TrainingError } from "@photinus/core/errors";
import type { OptimizerConstants, ParameterGroup } from "@photinus/core/job";
import { Algebra, type GraphBuilder } from "../graph/index.ts";
import type { Optimizer } from "../optimizer/index.ts";
import type { CompiledStep } from "./compiled.ts";
import { portOf } from "./frame.ts";
import { parameterRule } from "./parameter-rule.ts";
import { SCALAR, StepPorts } from "./step-ports.ts";

/** What happens to gradients on their way to the optimizer, in this order. */
export interface UpdateOptions {
  /** True where the gradients of several steps become one update: what feeds `closes` says where it ends. */
  readonly gathers?: boolean;
  /**
   * μ of FedProx, unless a training names another: adds μ (p - p₀) to the gradient, p₀ being the received parameter (Li et al. 2020,
   * equation 2).
   */
  readonly proximal?: number;
  /** All gradients together are shortened to this L2 norm, as torch.nn.utils.clip_grad_norm_ does. */
  readonly clippingNorm?: number;
  /** True to add a correction that is fed, the c - cᵢ of SCAFFOLD (Karimireddy et al. 2020, algorithm 1, line 10). */
  readonly corrects?: boolean;
  /** True to leave everything as it is where the loss or a gradient is no finite number. */
  readonly skips?: boolean;
}

/** What the updates are made of. */
export interface UpdateInputs {
  /** Names in the graph by names in the table. */
  readonly trainable: ReadonlyMap<string, string>;
  /** By names in the graph. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Running statistics, which follow the data and not a gradient: values after the step. */
  readonly statistics: ReadonlyMap<string, string>;
  /** Loss of the batch. */
  readonly loss: string;
  /** f32 scalar. */
  readonly learningRate: string;
  /** Makes new parameters of gradients. */
  readonly optimizer: Optimizer;
  /** Whether the gradients come times the learning rate. */
  readonly isScaled: boolean;
}

/** The updates of all parameters. */
export interface Updates {
  /** Values inside by the names of outputs. */
  readonly outputs: ReadonlyMap<string, string>;
  /** How the step is fed for them. */
  readonly ports: Pick<
    CompiledStep,
    "states" | "scalars" | "closes" | "updated" | "proximal" | "references" | "corrections"
  >;
}

type Options = UpdateOptions & {
  readonly optimizer: OptimizerConstants;
  readonly groups?: readonly ParameterGroup[];
};

/** torch's clip_grad_norm_ adds it to the norm that it divides by. */
const CLIPPING_EPSILON = 1e-6;

/** What is not below it is not finite, or no number: the greatest f32 is hardly more. */
const GREATEST = 3.4e38;

/** What the steps below have in common. */
interface Context {
  readonly builder: GraphBuilder;
  readonly algebra: Algebra;
  readonly ports: StepPorts;
  readonly options: Options;
  readonly inputs: UpdateInputs;
}

/** When the new values count; absent conditions always hold. */
interface Conditions {
  /** bool: the step closes an update. */
  readonly closes: string | undefined;
  /** bool: the losses and gradients of the update are finite. */
  readonly finite: string | undefined;
}

/** Where the gradients of several steps become one update. */
interface Gathering {
  /** f32 scalar: 0, or what the gathered gradients are multiplied with. */
  readonly factor: string;
  /** bool: the step closes an update. */
  readonly closes: string;
}

/** Adds what follows the gradients. @throws TrainingError `ERR_MODEL_PARAMETERS` for a parameter without a gradient */
export function addUpdates(builder: GraphBuilder, options: Options, inputs: UpdateInputs): Updates {
  const ports = new StepPorts(builder);
  const context: Context = { builder, algebra: new Algebra(builder), ports, options, inputs };
  const gathering = options.gathers ? gatheringOf(context) : undefined;
  const pull = options.proximal === undefined ? undefined : builder.input("photinus/proximal", SCALAR);
  const gradients = gradientsOf(context, gathering, pull);
  const needsNorm = options.clippingNorm !== undefined || options.skips === true;
  const squares = needsNorm ? squareSum(context, [...gradients.values()]) : undefined;
  const finite =
    options.skips && squares !== undefined ? updateIsFinite(context, gathering, squares) : undefined;
  const conditions = { closes: gathering?.closes, finite };
  const towards = directionOf(context, squares);
  const batchIsFinite = batchFiniteness(context);
  for (const [name, parameter] of inputs.trainable) {
    const gradient = gradients.get(name);
    if (gradient === undefined) keepStatistic(context, { name, parameter, finite: batchIsFinite });
    else addUpdate(context, { name, parameter, gradient: towards(name, gradient), conditions });
  }
  const accepted = accepts(context, conditions);
  const updated =
    accepted === undefined
      ? {}
      : { updated: ports.report("photinus/updated", context.algebra.indicator(accepted)) };
  const closingPort = gathering === undefined ? {} : { closes: portOf(builder, gathering.factor) };
  return {
    outputs: ports.outputs,
    ports: { ...ports.ports, ...closingPort, ...pullOf(builder, pull, options), ...updated },
  };
}

function pullOf(
  builder: GraphBuilder,
  pull: string | undefined,
  { proximal }: Options,
): Pick<Updates["ports"], "proximal"> {
  if (pull === undefined || proximal === undefined) return {};
  return { proximal: { ...portOf(builder, pull), value: proximal } };
}

function gatheringOf({ builder, algebra }: Context): Gathering {
  const factor = builder.input("photinus/closes", SCALAR);
  return { factor, closes: algebra.apply("Greater", factor, 0) };
}

/** The sum of a value over the steps of an update. Behind a step that closes it begins anew, whatever it was. */
function gathered(
  { builder, algebra, ports }: Context,
  { closes }: Gathering,
  { name, parameter, value }: { name: string; parameter: string; value: string },
): string {
  const input = builder.input(name, builder.type(value));
  const sum = algebra.add(input, value);
  ports.keep({ parameter, role: "gathered", input, after: algebra.apply("Where", closes, 0, sum) });
  return sum;
}

/** The gradients of the update by name in the table: gathered over its steps, drawn towards the received parameters. */
function gradientsOf(
  context: Context,
  gathering: Gathering | undefined,
  pull: string | undefined,
): ReadonlyMap<string, string> {
  const { builder, algebra, ports, inputs } = context;
  const gradients = new Map<string, string>();
  for (const [name, parameter] of inputs.trainable) {
    if (inputs.statistics.has(parameter)) continue;
    const type = builder.type(parameter);
    let gradient = inputs.gradients.get(parameter) ?? withoutPart(name);
    if (gathering !== undefined) {
      const slot = { name: `photinus/gradient-sum/${name}`, parameter: name, value: gradient };
      gradient = algebra.mul(gathered(context, gathering, slot), gathering.factor);
    }
    if (pull !== undefined) {
      const distance = algebra.sub(parameter, ports.reference(name, type));
      gradient = algebra.add(gradient, algebra.mul(distance, pull));
    }
    gradients.set(name, gradient);
  }
  return gradients;
}

function withoutPart(name: string): never {
  const what = `parameter ${name} has no part in the model's output: mark it as not trainable`;
  throw new TrainingError("ERR_MODEL_PARAMETERS", what);
}

function squareSum({ algebra }: Context, gradients: readonly string[]): string {
  return gradients
    .map((gradient) => algebra.total(algebra.mul(gradient, gradient)))
    .reduce((sum, square) => algebra.add(sum, square));
}

/** What is no number is not less than anything: one comparison tells of NaN and infinity in any gradient or loss. */
function updateIsFinite(context: Context, gathering: Gathering | undefined, squares: string): string {
  const { loss: value } = context.inputs;
  // A loss may be infinite where its gradient is not, so that the gathered gradients do not tell of it.
  const losses =
    gathering === undefined
      ? value
      : gathered(context, gathering, { name: "photinus/loss-sum", parameter: "", value });
  return isBelowGreatest(context, context.algebra.add(squares, losses));
}

function isBelowGreatest({ algebra }: Context, value: string): string {
  return algebra.apply("Less", algebra.apply("Abs", value), GREATEST);
}

/** Shortens a gradient as all together are shortened, and corrects it. */
function directionOf(
  { algebra, builder, ports, options }: Context,
  squares: string | undefined,
): (name: string, gradient: string) => string {
  const { clippingNorm, corrects } = options;
  const clips = clippingNorm !== undefined && squares !== undefined;
  const norm = clips ? algebra.add(algebra.apply("Sqrt", squares), CLIPPING_EPSILON) : undefined;
  const factor = clips ? algebra.apply("Min", algebra.div(clippingNorm, norm ?? 1), 1) : undefined;
  return (name, gradient) => {
    const clipped = factor === undefined ? gradient : algebra.mul(gradient, factor);
    return corrects ? algebra.add(clipped, ports.correction(name, builder.type(gradient))) : clipped;
  };
}

interface OneUpdate {
  readonly name: string;
  readonly parameter: string;
  readonly gradient: string;
  readonly conditions: Conditions;
}

function addUpdate(context: Context, { name, parameter, gradient, conditions }: OneUpdate): void {
  const { builder, algebra, ports, options, inputs } = context;
  const { optimizer, learningRate, isScaled } = inputs;
  const { learningRateFactor, weightDecay } = parameterRule(name, options.optimizer, options.groups);
  const type = builder.type(parameter);
  const accepted = accepts(context, conditions);
  const choose = (next: string, before: string): string =>
    accepted === undefined ? next : algebra.apply("Where", accepted, next, before);
  const rate = learningRateFactor === 1 ? learningRate : algebra.mul(learningRate, learningRateFactor);
  const decays = weightDecay !== 0;
  const after = optimizer.update({
    ...{ builder, algebra, rate, isScaled },
    parameter:
      decays && optimizer.decays === "parameter"
        ? algebra.mul(parameter, algebra.sub(1, algebra.mul(rate, weightDecay)))
        : parameter,
    gradient:
      decays && optimizer.decays === "gradient"
        ? algebra.add(gradient, algebra.mul(parameter, weightDecay))
        : gradient,
    state: (kind, next) => {
      const input = builder.input(`photinus/${kind}/${name}`, type);
      const value = next(input);
      ports.keep({ parameter: name, role: "optimizer", input, after: choose(value, input) });
      return value;
    },
    scalar: (kind, at) => ports.scalar(kind, at),
  });
  ports.keep({ parameter: name, role: "parameter", input: parameter, after: choose(after, parameter) });
}

/** bool: the loss and the statistics of the batch are finite. A statistic may overflow where the loss does not, and would stay so. */
function batchFiniteness(context: Context): string | undefined {
  const { algebra, inputs, options } = context;
  if (!options.skips || inputs.statistics.size === 0) return undefined;
  const sizes = [inputs.loss, ...inputs.statistics.values()].map((value) =>
    algebra.total(algebra.apply("Abs", value)),
  );
  return isBelowGreatest(
    context,
    sizes.reduce((sum, size) => algebra.add(sum, size)),
  );
}

/** Running statistics follow every batch that is finite itself, whatever comes of the update that it belongs to. */
function keepStatistic(
  { algebra, ports, inputs }: Context,
  { name, parameter, finite }: { name: string; parameter: string; finite: string | undefined },
): void {
  const statistic = inputs.statistics.get(parameter) ?? parameter;
  const after = finite === undefined ? statistic : algebra.apply("Where", finite, statistic, parameter);
  ports.keep({ parameter: name, role: "parameter", input: parameter, after });
}

/** bool: the new values count; undefined where they always do. */
function accepts({ algebra }: Context, { closes, finite }: Conditions): string | undefined {
  if (closes === undefined || finite === undefined) return closes ?? finite;
  return algebra.apply("And", closes, finite);
}
