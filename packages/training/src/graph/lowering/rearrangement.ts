import { elementCount } from "@photinus/core/tensor";
import { dataTypeOf, int } from "../../onnx/index.ts";
import { numbersOf, tensorOf } from "../numbers.ts";
import { padOf, sliceOf, splitOf } from "../operators/view.ts";
import {
  attribute,
  badShape,
  constantInput,
  constantList,
  inputType,
  normalAxis,
  unsupported,
} from "../typed-node.ts";
import {
  insteadOf,
  intOf,
  type Lowered,
  type Lowering,
  type LoweringTable,
  requiredOperand,
} from "./lowering.ts";

/** Most elements of a constant that a lowering brings along. */
export const MAX_LOWERED_CONSTANT: number = 2 ** 22;

/** Elements of `axis` at constant `indices`, in that order. */
function take(
  lowered: Lowered,
  value: string,
  { axis, indices }: { axis: number; indices: readonly number[] },
): string {
  const { builder, node } = lowered;
  if (indices.length > MAX_LOWERED_CONSTANT) unsupported(node, "its result is too large");
  const list = builder.constant(tensorOf("i64", [indices.length], indices), "indices");
  return builder.add("Gather", [value, list], { attributes: { axis: int(axis) } });
}

/** Steps other than 1 pick elements one by one. */
const slice: Lowering = (lowered) => {
  const { starts, steps, shape } = sliceOf(lowered);
  const whole = lowered.constants[0] !== undefined;
  if (whole || steps.every((step) => step === 1)) return insteadOf(lowered, {});
  const { algebra, builder } = lowered;
  const plain = starts.map((start, axis) => ({ axis, start, end: start + (shape[axis] ?? 0) }));
  let value = algebra.slice(requiredOperand(lowered, 0), ...plain.filter(({ axis }) => steps[axis] === 1));
  steps.forEach((step, axis) => {
    if (step === 1) return;
    const indices = Array.from(
      { length: shape[axis] ?? 0 },
      (_, index) => (starts[axis] ?? 0) + index * step,
    );
    value = take({ ...lowered, builder }, value, { axis, indices });
  });
  return [value];
};

/** The place inside an axis of `size` that a position before or behind it shows. */
const INSIDE: Readonly<Record<string, (position: number, size: number) => number>> = {
  edge: (position, size) => Math.min(Math.max(position, 0), size - 1),
  reflect: (position, size) => {
    const period = Math.max(1, 2 * (size - 1));
    const within = ((position % period) + period) % period;
    return within < size ? within : period - within;
  },
  wrap: (position, size) => ((position % size) + size) % size,
};

/** Every mode but constant picks elements of the input again. */
const pad: Lowering = (lowered) => {
  const mode = attribute(lowered, "text", "mode") ?? "constant";
  if (mode === "constant") return insteadOf(lowered, {});
  const inside = Object.hasOwn(INSIDE, mode) ? INSIDE[mode] : undefined;
  if (inside === undefined) unsupported(lowered.node, `mode ${mode}`);
  const { begin, end } = padOf(lowered);
  let value = requiredOperand(lowered, 0);
  inputType(lowered, 0).shape.forEach((size, axis) => {
    const [before, behind] = [begin[axis] ?? 0, end[axis] ?? 0];
    if (before === 0 && behind === 0) return;
    if (before + size + behind > MAX_LOWERED_CONSTANT) unsupported(lowered.node, "its pads are too large");
    const indices = Array.from({ length: Math.max(0, before + size + behind) }, (_, index) =>
      inside(index - before, size),
    );
    value = take(lowered, value, { axis, indices });
  });
  return [value];
};

/** A list of sizes that is split is shape arithmetic, and folded part by part. */
const split: Lowering = (lowered) => {
  const { axis, sizes } = splitOf(lowered);
  const { algebra, builder, node } = lowered;
  if (lowered.constants[0] === undefined) {
    const inputs = [requiredOperand(lowered, 0), builder.numbers("i64", sizes)];
    return insteadOf(lowered, { inputs, attributes: new Map([["axis", int(axis)]]) });
  }
  let start = 0;
  return sizes.map((size, index) => {
    const range = { axis, start, end: start + size };
    start += size;
    return node.outputs[index] === "" ? "" : algebra.slice(requiredOperand(lowered, 0), range);
  });
};

/** Repeats by dimensions of their own. */
const tile: Lowering = (lowered) => {
  const { shape } = inputType(lowered, 0);
  const repeats = constantList(lowered, 1);
  if (repeats.length !== shape.length) badShape(lowered.node, `repeats [${repeats}] of [${shape}]`);
  let value = requiredOperand(lowered, 0);
  let sizes = [...shape];
  // One axis at a time: all at once would have twice the rank, which may be more than tensors have.
  repeats.forEach((count, axis) => {
    if (count === 1) return;
    const [outer, inner] = [elementCount(sizes.slice(0, axis)), elementCount(sizes.slice(axis))];
    const split = lowered.algebra.reshape(value, [outer, 1, inner]);
    const repeated = lowered.algebra.expand(split, [outer, count, inner]);
    sizes = sizes.toSpliced(axis, 1, (sizes[axis] ?? 1) * count);
    value = lowered.algebra.reshape(repeated, sizes);
  });
  return [value];
};

/** Channels that hold blocks of pixels (Shi et al. 2016). */
const depthToSpace: Lowering = (lowered) => {
  const { algebra } = lowered;
  const [examples = 1, channels = 1, height = 1, width = 1] = inputType(lowered, 0).shape;
  const block = intOf(lowered, "blocksize", 1);
  const depth = channels / block ** 2;
  if (!Number.isInteger(depth)) badShape(lowered.node, `${channels} channels in blocks of ${block}`);
  const columnsFirst = attribute(lowered, "text", "mode") === "CRD";
  const x = requiredOperand(lowered, 0);
  const split = columnsFirst
    ? algebra.reshape(x, [examples, depth, block, block, height, width])
    : algebra.reshape(x, [examples, block, block, depth, height, width]);
  const moved = algebra.transpose(split, columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  return [algebra.reshape(moved, [examples, depth, height * block, width * block])];
};

const spaceToDepth: Lowering = (lowered) => {
  const { algebra } = lowered;
  const [examples = 1, channels = 1, height = 1, width = 1] = inputType(lowered, 0).shape;
  const block = intOf(lowered, "blocksize", 1);
  const [rows, columns] = [height / block, width / block];
  if (!Number.isInteger(rows) || !Number.isInteger(columns)) badShape(lowered.node, `blocks of ${block}`);
  const split = algebra.reshape(requiredOperand(lowered, 0), [
    examples,
    channels,
    rows,
    block,
    columns,
    block,
  ]);
  const moved = algebra.transpose(split, [0, 3, 5, 1, 2, 4]);
  return [algebra.reshape(moved, [examples, channels * block ** 2, rows, columns])];
};

const castLike: Lowering = (lowered) =>
  insteadOf(lowered, {
    operator: "Cast",
    inputs: [requiredOperand(lowered, 0)],
    attributes: new Map([["to", int(dataTypeOf(inputType(lowered, 1).dtype))]]),
  });

/** A triangle of the last two axes, by a constant mask. */
const trilu: Lowering = (lowered) => {
  const { builder } = lowered;
  const { dtype, shape } = inputType(lowered, 0);
  const [rows = 1, columns = 1] = shape.slice(-2);
  const offset = lowered.node.inputs[1] ? (numbersOf(constantInput(lowered, 1))[0] ?? 0) : 0;
  const upper = intOf(lowered, "upper", 1) === 1;
  if (rows * columns > MAX_LOWERED_CONSTANT) unsupported(lowered.node, "its matrix is too large");
  const keeps = Array.from({ length: rows * columns }, (_, index) => {
    const distance = (index % columns) - Math.floor(index / columns);
    return (upper ? distance >= offset : distance <= offset) ? 1 : 0;
  });
  const mask = builder.constant(tensorOf("bool", [rows, columns], keeps), "triangle");
  const zero = builder.constant(tensorOf(dtype, [], [0]), "zero");
  if (dtype === "bool") return [builder.add("And", [requiredOperand(lowered, 0), mask])];
  return [builder.add("Where", [mask, requiredOperand(lowered, 0), zero])];
};

/** A large constant is repeated by the runtime; small ones are folded. */
const constantOfShape: Lowering = (lowered) => {
  const { builder } = lowered;
  const shape = constantList(lowered, 0);
  if (elementCount(shape) <= 65_536) return insteadOf(lowered, {});
  const fill = attribute(lowered, "tensor", "value") ?? tensorOf("f32", [1], [0]);
  return [builder.add("Expand", [builder.constant(fill, "fill"), builder.numbers("i64", shape)])];
};

/** Ones on a diagonal. */
const eyeLike: Lowering = (lowered) => {
  const { builder } = lowered;
  const { shape } = inputType(lowered, 0);
  const [rows = 1, columns = 1] = shape;
  if (rows * columns > MAX_LOWERED_CONSTANT) unsupported(lowered.node, "its matrix is too large");
  const diagonal = intOf(lowered, "k", 0);
  const values = Array.from({ length: rows * columns }, (_, index) =>
    (index % columns) - Math.floor(index / columns) === diagonal ? 1 : 0,
  );
  const eye = builder.constant(tensorOf("f32", [rows, columns], values), "eye");
  const to = attribute(lowered, "int", "dtype") ?? dataTypeOf(inputType(lowered, 0).dtype);
  return [builder.add("Cast", [eye], { attributes: { to: int(to) } })];
};

/** The sum of all inputs. */
const sum: Lowering = (lowered) => [
  lowered.node.inputs
    .slice(1)
    .reduce((total, input) => lowered.algebra.add(total, input), requiredOperand(lowered, 0)),
];

/** Their mean. */
const mean: Lowering = (lowered) => {
  const [total = ""] = sum(lowered);
  return [lowered.algebra.mul(total, 1 / lowered.node.inputs.length)];
};

/** The maximum of each channel. */
const globalMaxPool: Lowering = (lowered) => {
  const axes = inputType(lowered, 0)
    .shape.map((_, axis) => axis)
    .slice(2);
  if (axes.length === 0) badShape(lowered.node, "the input has no spatial dimension");
  return [lowered.algebra.reduce("ReduceMax", requiredOperand(lowered, 0), { axes })];
};

/** Copies the elements of each axis in reverse order, up to the length of each sequence: only whole axes. */
const reverseSequence: Lowering = (lowered) => {
  const { shape } = inputType(lowered, 0);
  const axis = normalAxis(lowered.node, intOf(lowered, "time_axis", 0), shape.length);
  const size = shape[axis] ?? 0;
  if (numbersOf(constantInput(lowered, 1)).some((length) => length !== size)) {
    unsupported(lowered.node, "sequences of several lengths: export without packed sequences");
  }
  const indices = Array.from({ length: size }, (_, index) => size - 1 - index);
  return [take(lowered, requiredOperand(lowered, 0), { axis, indices })];
};

/** Operators that move, repeat or mask elements. */
export const REARRANGEMENT_LOWERINGS: LoweringTable = {
  CastLike: castLike,
  ConstantOfShape: constantOfShape,
  DepthToSpace: depthToSpace,
  EyeLike: eyeLike,
  GlobalMaxPool: globalMaxPool,
  Mean: mean,
  Pad: pad,
  ReverseSequence: reverseSequence,
  Slice: slice,
  SpaceToDepth: spaceToDepth,
  Split: split,
  Sum: sum,
  Tile: tile,
  Trilu: trilu,
};
