import { elementCount } from "@photinus/core/tensor";
import { numbersOf, tensorOf } from "../numbers.ts";
import { attribute, badShape, inputType, normalAxis, unsupported } from "../typed-node.ts";
import { floatOf, intOf, type Lowered, type LoweringTable, requiredOperand } from "./lowering.ts";
import { MAX_LOWERED_CONSTANT } from "./rearrangement.ts";

/** How one axis is resized. */
interface Axis {
  readonly input: number;
  readonly output: number;
  readonly scale: number;
}

/** Where an output position lies in the input (ONNX, Resize, `coordinate_transformation_mode`). */
const COORDINATES: Readonly<Record<string, (position: number, axis: Axis) => number>> = {
  half_pixel: (x, { scale }) => (x + 0.5) / scale - 0.5,
  half_pixel_symmetric: (x, { input, output, scale }) => {
    const adjustment = output / (scale * input);
    return (input / 2) * (1 - adjustment) + (x + 0.5) / scale - 0.5;
  },
  pytorch_half_pixel: (x, { output, scale }) => (output > 1 ? (x + 0.5) / scale - 0.5 : 0),
  align_corners: (x, { input, output }) => (output === 1 ? 0 : (x * (input - 1)) / (output - 1)),
  asymmetric: (x, { scale }) => x / scale,
};

const NEAREST: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

type Taps = readonly (readonly [index: number, weight: number])[];

function linearTaps(x: number): Taps {
  const floor = Math.floor(x);
  const rest = x - floor;
  return [
    [floor, 1 - rest],
    [floor + 1, rest],
  ];
}

/** Keys 1981, equation 4, with a free. */
function cubicTaps(x: number, a: number): Taps {
  const floor = Math.floor(x);
  return [-1, 0, 1, 2].map((offset) => {
    const d = Math.abs(x - floor - offset);
    if (d <= 1) return [floor + offset, ((a + 2) * d - (a + 3)) * d * d + 1];
    if (d < 2) return [floor + offset, ((a * d - 5 * a) * d + 8 * a) * d - 4 * a];
    return [floor + offset, 0];
  });
}

function tapsOf(lowered: Lowered): (x: number) => Taps {
  const mode = attribute(lowered, "text", "mode") ?? "nearest";
  if (mode === "linear") return linearTaps;
  if (mode === "cubic") return (x) => cubicTaps(x, floatOf(lowered, "cubic_coeff_a", -0.75));
  const name = attribute(lowered, "text", "nearest_mode") ?? "round_prefer_floor";
  const nearest = Object.hasOwn(NEAREST, name) ? NEAREST[name] : undefined;
  if (mode !== "nearest" || nearest === undefined) unsupported(lowered.node, `mode ${mode}, ${name}`);
  return (x) => [[nearest(x), 1]];
}

/** [output, input]: what each element of the output takes of each element of the input. */
function interpolation(lowered: Lowered, axis: Axis): number[] {
  const name = attribute(lowered, "text", "coordinate_transformation_mode") ?? "half_pixel";
  const coordinate = Object.hasOwn(COORDINATES, name) ? COORDINATES[name] : undefined;
  if (coordinate === undefined) unsupported(lowered.node, `coordinate_transformation_mode ${name}`);
  if (axis.input * axis.output > MAX_LOWERED_CONSTANT)
    unsupported(lowered.node, "it is too large to be trained through");
  const taps = tapsOf(lowered);
  const weights = new Array<number>(axis.input * axis.output).fill(0);
  for (let position = 0; position < axis.output; position++) {
    for (const [index, weight] of taps(coordinate(position, axis))) {
      const inside = Math.min(Math.max(index, 0), axis.input - 1);
      const at = position * axis.input + inside;
      weights[at] = (weights[at] ?? 0) + weight;
    }
  }
  return weights;
}

function axesOf(lowered: Lowered): readonly Axis[] {
  const { shape } = inputType(lowered, 0);
  const list = (index: number): number[] => {
    const constant = lowered.constants[index];
    if (lowered.node.inputs[index] && constant === undefined)
      badShape(lowered.node, `input ${index} must be a constant`);
    return constant === undefined ? [] : numbersOf(constant);
  };
  const [scales, sizes] = [list(2), list(3)];
  const every = shape.map((_, axis) => axis);
  const axes = (attribute(lowered, "ints", "axes") ?? every).map((axis) =>
    normalAxis(lowered.node, axis, shape.length),
  );
  if ((sizes.length > 0 ? sizes : scales).length !== axes.length)
    badShape(lowered.node, "scales or sizes do not fit");
  return shape.map((input, axis) => {
    const at = axes.indexOf(axis);
    if (at < 0) return { input, output: input, scale: 1 };
    const size = sizes[at];
    if (size !== undefined) return { input, output: size, scale: size / input };
    const scale = scales[at] ?? 1;
    return { input, output: Math.floor(input * scale), scale };
  });
}

/** Whole factors that repeat each element. */
function repeats(lowered: Lowered, { input, output }: Axis): boolean {
  const mode = attribute(lowered, "text", "mode") ?? "nearest";
  if (mode !== "nearest" || output % input !== 0) return false;
  const factor = output / input;
  const axis: Axis = { input, output, scale: factor };
  return interpolation(lowered, axis).every((weight, index) => {
    const [position, source] = [Math.floor(index / input), index % input];
    return weight === (Math.floor(position / factor) === source ? 1 : 0);
  });
}

/** Resizing is linear and goes axis by axis: repetition, or a product with a matrix of interpolation weights. */
function resize(lowered: Lowered): readonly string[] {
  const { algebra, builder, node } = lowered;
  if (intOf(lowered, "antialias", 0) === 1) unsupported(node, "antialias");
  if (intOf(lowered, "exclude_outside", 0) === 1) unsupported(node, "exclude_outside");
  if ((attribute(lowered, "text", "keep_aspect_ratio_policy") ?? "stretch") !== "stretch")
    unsupported(node, "keep_aspect_ratio_policy");
  const sizes = [...inputType(lowered, 0).shape];
  let value = requiredOperand(lowered, 0);
  axesOf(lowered).forEach((axis, index) => {
    if (axis.output === axis.input && axis.scale === 1) return;
    if (!(axis.output >= 1)) badShape(node, `size ${axis.output}`);
    const [outer, inner] = [elementCount(sizes.slice(0, index)), elementCount(sizes.slice(index + 1))];
    sizes[index] = axis.output;
    if (repeats(lowered, axis)) {
      const factor = axis.output / axis.input;
      const each = algebra.reshape(value, [outer * axis.input, 1, inner]);
      value = algebra.reshape(algebra.expand(each, [outer * axis.input, factor, inner]), sizes);
      return;
    }
    const weights = interpolation(lowered, axis);
    const matrix = builder.constant(tensorOf("f32", [axis.output, axis.input], weights), "interpolation");
    const planes = algebra.reshape(value, [outer, axis.input, inner]);
    value = algebra.reshape(algebra.apply("MatMul", matrix, planes), sizes);
  });
  return [value];
}

/** Changes of size. */
export const RESIZE_LOWERINGS: LoweringTable = { Resize: resize };
