import { elementCount } from "@photinus/core/tensor";
import { int } from "../../onnx/index.ts";
import { numbersOf } from "../numbers.ts";
import { attribute, badShape, inputType, unsupported } from "../typed-node.ts";
import {
  intOf,
  type Lowered,
  type Lowering,
  type LoweringTable,
  operandOf,
  requiredOperand,
} from "./lowering.ts";

/** Longest sequence that is written out: each step is a dozen nodes, and as many again to go back through it. */
export const MAX_UNROLLED_STEPS = 512;

/** One direction of a recurrent operator: what its cell computes with. */
interface Direction {
  readonly lowered: Lowered;
  /** x Wᵀ + b for every step, each [batch, gates · hidden]. */
  readonly projected: readonly string[];
  /** [gates · hidden, hidden] */
  readonly recurrence: string;
  /** The part of the bias that belongs to the recurrence, [gates · hidden]; undefined without a bias. */
  readonly recurrentBias: string | undefined;
  /** [3 · hidden] of an LSTM that looks at its cell. */
  readonly peepholes: string | undefined;
  readonly hidden: number;
  readonly activations: readonly string[];
}

/** The state between two steps: hidden, and the cell of an LSTM. */
type State = readonly string[];

interface Kind {
  readonly gates: number;
  /** Activations of one direction. */
  readonly activations: readonly string[];
  /** Names a state by the index of the input that it starts from. */
  readonly states: readonly number[];
  readonly step: (direction: Direction, projected: string, state: State) => State;
}

const ACTIVATIONS: ReadonlySet<string> = new Set([
  "Elu",
  "LeakyRelu",
  "Relu",
  "Sigmoid",
  "Softplus",
  "Softsign",
  "Tanh",
]);

function activate({ lowered: { algebra }, activations }: Direction, index: number, value: string): string {
  const operator = activations[index] ?? "Tanh";
  if (operator === "Softsign") return algebra.div(value, algebra.add(algebra.apply("Abs", value), 1));
  return algebra.apply(operator, value);
}

/** h Rᵀ, with the bias of the recurrence where it is wanted here. */
function recur({ lowered: { builder } }: Direction, h: string, weights: string, bias?: string): string {
  return builder.add("Gemm", bias === undefined ? [h, weights] : [h, weights, bias], {
    attributes: { transB: int(1) },
  });
}

/** Columns of one gate. */
function gate({ lowered: { algebra }, hidden }: Direction, value: string, index: number): string {
  return algebra.slice(value, { axis: 1, start: index * hidden, end: (index + 1) * hidden });
}

/** Ht = f(Xt W + Ht-1 R + b) */
const rnnStep: Kind["step"] = (direction, projected, [h = ""]) => {
  const { algebra } = direction.lowered;
  return [
    activate(
      direction,
      0,
      algebra.add(projected, recur(direction, h, direction.recurrence, direction.recurrentBias)),
    ),
  ];
};

/** Hochreiter and Schmidhuber 1997, as ONNX has it: gates i, o, f, c; peepholes i, o, f. */
const lstmStep: Kind["step"] = (direction, projected, [h = "", cell = ""]) => {
  const { algebra } = direction.lowered;
  const all = algebra.add(projected, recur(direction, h, direction.recurrence, direction.recurrentBias));
  const peeped = (index: number, at: string): string => {
    const part = gate(direction, all, index);
    if (direction.peepholes === undefined) return part;
    const { hidden, peepholes } = direction;
    const weights = algebra.slice(peepholes, { axis: 0, start: index * hidden, end: (index + 1) * hidden });
    return algebra.add(part, algebra.mul(weights, at));
  };
  const input = activate(direction, 0, peeped(0, cell));
  const forget = activate(direction, 0, peeped(2, cell));
  const candidate = activate(direction, 1, gate(direction, all, 3));
  const next = algebra.add(algebra.mul(forget, cell), algebra.mul(input, candidate));
  const output = activate(direction, 0, peeped(1, next));
  return [algebra.mul(output, activate(direction, 2, next)), next];
};

/** Cho et al. 2014: gates z, r, h; the reset gate before the product, or after it (`linear_before_reset`). */
const gruStep: Kind["step"] = (direction, projected, [h = ""]) => {
  const { lowered, hidden, recurrence, recurrentBias } = direction;
  const { algebra } = lowered;
  const rows = (value: string, start: number, end: number): string =>
    algebra.slice(value, { axis: 0, start: start * hidden, end: end * hidden });
  const bias = (start: number, end: number): string | undefined =>
    recurrentBias === undefined ? undefined : rows(recurrentBias, start, end);
  const columns = algebra.slice(projected, { axis: 1, start: 0, end: 2 * hidden });
  const both = activate(
    direction,
    0,
    algebra.add(columns, recur(direction, h, rows(recurrence, 0, 2), bias(0, 2))),
  );
  const [update, reset] = [gate(direction, both, 0), gate(direction, both, 1)];
  const late = intOf(lowered, "linear_before_reset", 0) === 1;
  const weights = rows(recurrence, 2, 3);
  const recurrent = late
    ? algebra.mul(reset, recur(direction, h, weights, bias(2, 3)))
    : recur(direction, algebra.mul(reset, h), weights, bias(2, 3));
  const candidate = activate(direction, 1, algebra.add(gate(direction, projected, 2), recurrent));
  // (1 - z) c + z h, with one product less
  return [algebra.add(candidate, algebra.mul(update, algebra.sub(h, candidate)))];
};

const KINDS: Readonly<Record<"RNN" | "LSTM" | "GRU", Kind>> = {
  RNN: { gates: 1, activations: ["Tanh"], states: [5], step: rnnStep },
  LSTM: { gates: 4, activations: ["Sigmoid", "Tanh", "Tanh"], states: [5, 6], step: lstmStep },
  GRU: { gates: 3, activations: ["Sigmoid", "Tanh"], states: [5], step: gruStep },
};

/** Sizes of a recurrent operator, with the batch-first layout turned. */
interface Sequence {
  /** [steps, batch, inputs] */
  readonly x: string;
  readonly steps: number;
  readonly batch: number;
  readonly inputs: number;
  readonly directions: number;
  readonly hidden: number;
}

function sequenceOf(lowered: Lowered): Sequence {
  const { algebra, node } = lowered;
  const given = requiredOperand(lowered, 0);
  const x = intOf(lowered, "layout", 0) === 1 ? algebra.transpose(given, [1, 0, 2]) : given;
  const [steps = 0, batch = 0, inputs = 0] = lowered.builder.shape(x);
  const [directions = 0, , hidden = 0] = inputType(lowered, 2).shape;
  if (steps < 1 || steps > MAX_UNROLLED_STEPS) {
    unsupported(node, `sequences of ${steps} steps: 1 to ${MAX_UNROLLED_STEPS} can be written out`);
  }
  const lengths = lowered.node.inputs[4] ? lowered.constants[4] : undefined;
  const packed =
    lengths === undefined ? Boolean(lowered.node.inputs[4]) : numbersOf(lengths).some((n) => n !== steps);
  if (packed) unsupported(node, "sequences of several lengths: export without packed sequences");
  for (const name of ["clip", "activation_alpha", "activation_beta", "input_forget"]) {
    if (node.attributes.has(name) && intOrTrue(lowered, name)) unsupported(node, `attribute ${name}`);
  }
  return { x, steps, batch, inputs, directions, hidden };
}

const intOrTrue = (lowered: Lowered, name: string): boolean =>
  lowered.node.attributes.get(name)?.kind !== "int" || intOf(lowered, name, 0) !== 0;

function directionOf(
  lowered: Lowered,
  kind: Kind,
  { sequence, index }: { sequence: Sequence; index: number },
): Direction {
  const { algebra, builder, node } = lowered;
  const { x, steps, batch, inputs, hidden } = sequence;
  const width = kind.gates * hidden;
  const part = (input: number): string | undefined => {
    const name = operandOf(lowered, input);
    return name === undefined ? undefined : algebra.pick(name, 0, index);
  };
  const weights = part(1) ?? "";
  if (elementCount(builder.shape(weights)) !== width * inputs) badShape(node, "W does not fit X and R");
  const bias = part(3);
  const half = (start: number): string | undefined =>
    bias === undefined ? undefined : algebra.slice(bias, { axis: 0, start, end: start + width });
  const rows = algebra.reshape(x, [steps * batch, inputs]);
  const own = half(0);
  const projected = builder.add("Gemm", own === undefined ? [rows, weights] : [rows, weights, own], {
    attributes: { transB: int(1) },
  });
  const perStep = builder.addNode({
    name: "",
    operator: "Split",
    inputs: [projected, builder.numbers("i64", new Array<number>(steps).fill(batch))],
    outputs: Array.from({ length: steps }, () => "step"),
    attributes: new Map([["axis", int(0)]]),
  });
  const all = attribute(lowered, "texts", "activations") ?? [];
  const count = kind.activations.length;
  const activations = all.length > 0 ? all.slice(index * count, (index + 1) * count) : kind.activations;
  const foreign = activations.find((name) => !ACTIVATIONS.has(name));
  if (foreign !== undefined) unsupported(node, `activation ${foreign}`);
  return {
    lowered,
    projected: steps === 1 ? [projected] : perStep,
    recurrence: part(2) ?? "",
    recurrentBias: half(width),
    peepholes: kind === KINDS.LSTM ? part(7) : undefined,
    hidden,
    activations,
  };
}

/** Writes the steps out, one after the other: [Y, Y_h, Y_c] of one direction, Y as [steps, 1, batch, hidden]. */
function unroll(
  direction: Direction,
  kind: Kind,
  { sequence, index, backward }: { sequence: Sequence; index: number; backward: boolean },
): string[] {
  const { algebra } = direction.lowered;
  const { batch, hidden } = sequence;
  let state: State = kind.states.map((input) => initial(direction.lowered, { input, index, sequence }));
  const outputs: string[] = [];
  const order = direction.projected.map((projected, step) => ({ projected, step }));
  if (backward) order.reverse();
  for (const { projected, step } of order) {
    state = kind.step(direction, projected, state);
    outputs[step] = algebra.reshape(state[0] ?? "", [1, 1, batch, hidden]);
  }
  return [algebra.concat(outputs, 0), ...state.map((value) => algebra.reshape(value, [1, batch, hidden]))];
}

function initial(
  lowered: Lowered,
  { input, index, sequence }: { input: number; index: number; sequence: Sequence },
): string {
  const given = operandOf(lowered, input);
  const { batch, hidden } = sequence;
  if (given === undefined) return lowered.algebra.zeros([batch, hidden]);
  const inOrder = intOf(lowered, "layout", 0) === 1 ? lowered.algebra.transpose(given, [1, 0, 2]) : given;
  return lowered.algebra.pick(inOrder, 0, index);
}

const recurrent =
  (kind: Kind): Lowering =>
  (lowered) => {
    const { algebra, node } = lowered;
    const sequence = sequenceOf(lowered);
    const way = attribute(lowered, "text", "direction") ?? "forward";
    if ((way === "bidirectional" ? 2 : 1) !== sequence.directions)
      badShape(node, `R has ${sequence.directions} directions`);
    const parts = Array.from({ length: sequence.directions }, (_, index) => {
      const direction = directionOf(lowered, kind, { sequence, index });
      return unroll(direction, kind, { sequence, index, backward: way === "reverse" || index === 1 });
    });
    const joined = (output: number, axis: number): string =>
      algebra.concat(
        parts.map((part) => part[output] ?? ""),
        axis,
      );
    const [y, ...states] = [joined(0, 1), ...kind.states.map((_, index) => joined(index + 1, 0))];
    if (intOf(lowered, "layout", 0) === 0) return [y, ...states];
    return [
      algebra.transpose(y, [2, 0, 1, 3]),
      ...states.map((state) => algebra.transpose(state, [1, 0, 2])),
    ];
  };

/** Recurrent operators, written out step by step: their lengths are known when a graph is compiled. */
export const RECURRENT_LOWERINGS: LoweringTable = {
  GRU: recurrent(KINDS.GRU),
  LSTM: recurrent(KINDS.LSTM),
  RNN: recurrent(KINDS.RNN),
};
