import { attribute, badShape, inputType, type TypedNode, unsupported } from "./typed-node.ts";

/** How a kernel moves over the spatial dimensions; every list has one entry per spatial dimension. */
export interface WindowGeometry {
  /** Sizes of the kernel. */
  readonly kernel: readonly number[];
  /** Steps between two windows. */
  readonly strides: readonly number[];
  /** Steps between two elements of the kernel. */
  readonly dilations: readonly number[];
  /** Zeros before the input. */
  readonly padsBegin: readonly number[];
  /** Zeros after the input. */
  readonly padsEnd: readonly number[];
  /** Sizes of the input. */
  readonly input: readonly number[];
  /** Sizes of the output. */
  readonly output: readonly number[];
}

/** Reads the attributes that Conv, MaxPool and AveragePool share, with `auto_pad` made explicit. */
export function windowOf(typed: TypedNode, kernelDefault?: readonly number[]): WindowGeometry {
  const { node } = typed;
  const input = inputType(typed, 0).shape.slice(2);
  const rank = input.length;
  const kernel = attribute(typed, "ints", "kernel_shape") ?? kernelDefault ?? [];
  const strides = attribute(typed, "ints", "strides") ?? input.map(() => 1);
  const dilations = attribute(typed, "ints", "dilations") ?? input.map(() => 1);
  if (rank === 0) badShape(node, "the input has no spatial dimension");
  for (const sizes of [kernel, strides, dilations]) {
    if (sizes.length !== rank || sizes.some((size) => size < 1))
      badShape(node, `[${sizes}] for ${rank} dimensions`);
  }
  const { padsBegin, padsEnd } = padsOf(typed, { input, kernel, strides, dilations });
  const output = input.map((size, axis) => {
    const reach = size + at(padsBegin, axis) + at(padsEnd, axis) - extent(kernel, dilations, axis);
    return countWindows(typed, reach, at(strides, axis));
  });
  return { kernel, strides, dilations, padsBegin, padsEnd, input, output };
}

const at = (sizes: readonly number[], axis: number): number => sizes[axis] ?? 0;

const extent = (kernel: readonly number[], dilations: readonly number[], axis: number): number =>
  (at(kernel, axis) - 1) * at(dilations, axis) + 1;

/** Windows that begin inside the padded input; with `ceil_mode`, the last may end outside. */
function countWindows(typed: TypedNode, reach: number, stride: number): number {
  if (reach < 0) badShape(typed.node, "the kernel is larger than the padded input");
  if (attribute(typed, "int", "ceil_mode") === 1 && reach % stride !== 0) {
    unsupported(typed.node, "ceil_mode with windows that end outside the input");
  }
  return Math.floor(reach / stride) + 1;
}

/**
 * The pads of a pooling with `ceil_mode`, begin and end, with as many added at the end as its last window needs. A window
 * that would begin behind the input and its pads at the begin is left out, as PyTorch leaves it out.
 */
export function ceilPads(typed: TypedNode): readonly number[] {
  const { kernel, strides, dilations, padsBegin, padsEnd, input } = windowOf(withoutCeil(typed));
  const end = input.map((size, axis) => {
    const stride = at(strides, axis);
    const reach = size + at(padsBegin, axis) + at(padsEnd, axis) - extent(kernel, dilations, axis);
    const last = Math.ceil(reach / stride) * stride;
    const beginsInside = last < size + at(padsBegin, axis);
    return at(padsEnd, axis) + (beginsInside ? last - reach : 0);
  });
  return [...padsBegin, ...end];
}

function withoutCeil(typed: TypedNode): TypedNode {
  const attributes = new Map([...typed.node.attributes].filter(([name]) => name !== "ceil_mode"));
  return { ...typed, node: { ...typed.node, attributes } };
}

type Sizes = Pick<WindowGeometry, "input" | "kernel" | "strides" | "dilations">;

function padsOf(typed: TypedNode, sizes: Sizes): Pick<WindowGeometry, "padsBegin" | "padsEnd"> {
  const rank = sizes.input.length;
  const autoPad = attribute(typed, "text", "auto_pad") ?? "NOTSET";
  if (autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER") return samePads(sizes, autoPad === "SAME_UPPER");
  if (autoPad !== "NOTSET" && autoPad !== "VALID") unsupported(typed.node, `auto_pad ${autoPad}`);
  const given = autoPad === "VALID" ? undefined : attribute(typed, "ints", "pads");
  const pads = given ?? new Array<number>(2 * rank).fill(0);
  if (pads.length !== 2 * rank || pads.some((pad) => pad < 0)) badShape(typed.node, `pads [${pads}]`);
  return { padsBegin: pads.slice(0, rank), padsEnd: pads.slice(rank) };
}

function samePads(sizes: Sizes, upper: boolean): Pick<WindowGeometry, "padsBegin" | "padsEnd"> {
  const total = sizes.input.map((size, axis) => {
    const stride = at(sizes.strides, axis);
    const reach = (Math.ceil(size / stride) - 1) * stride + extent(sizes.kernel, sizes.dilations, axis);
    return Math.max(0, reach - size);
  });
  const small = total.map((pad) => Math.floor(pad / 2));
  const large = total.map((pad) => Math.ceil(pad / 2));
  return upper ? { padsBegin: small, padsEnd: large } : { padsBegin: large, padsEnd: small };
}

/**
 * The window of the convolution that a ConvTranspose is the transpose of: its input is what the ConvTranspose yields,
 * its output what it is given.
 */
export function transposedWindowOf(typed: TypedNode): WindowGeometry {
  const { node } = typed;
  const output = inputType(typed, 0).shape.slice(2);
  const list = (name: string, fallback: number): readonly number[] =>
    attribute(typed, "ints", name) ?? output.map(() => fallback);
  const kernel = attribute(typed, "ints", "kernel_shape") ?? inputType(typed, 1).shape.slice(2);
  const [strides, dilations, extra] = [list("strides", 1), list("dilations", 1), list("output_padding", 0)];
  for (const sizes of [kernel, strides, dilations, extra]) {
    if (sizes.length !== output.length) badShape(node, `[${sizes}] for ${output.length} dimensions`);
  }
  const full = output.map(
    (size, axis) => (size - 1) * at(strides, axis) + extent(kernel, dilations, axis) + at(extra, axis),
  );
  const { padsBegin, padsEnd } = transposedPads(typed, { output, strides, full });
  const input = full.map((size, axis) => size - at(padsBegin, axis) - at(padsEnd, axis));
  return { kernel, strides, dilations, padsBegin, padsEnd, input, output };
}

/** ONNX, ConvTranspose: pads as given, or as many as lead to the wanted output. */
function transposedPads(
  typed: TypedNode,
  {
    output,
    strides,
    full,
  }: { output: readonly number[]; strides: readonly number[]; full: readonly number[] },
): Pick<WindowGeometry, "padsBegin" | "padsEnd"> {
  const rank = output.length;
  const autoPad = attribute(typed, "text", "auto_pad") ?? "NOTSET";
  const same = autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER";
  const wanted =
    attribute(typed, "ints", "output_shape")?.slice(-rank) ??
    (same ? output.map((size, axis) => size * at(strides, axis)) : undefined);
  if (wanted === undefined) {
    const pads = attribute(typed, "ints", "pads") ?? new Array<number>(2 * rank).fill(0);
    if (pads.length !== 2 * rank || pads.some((pad) => pad < 0)) badShape(typed.node, `pads [${pads}]`);
    return { padsBegin: pads.slice(0, rank), padsEnd: pads.slice(rank) };
  }
  const total = full.map((size, axis) => size - at(wanted, axis));
  if (total.some((pad) => pad < 0))
    unsupported(typed.node, `output_shape [${wanted}] that needs more padding`);
  const small = total.map((pad) => Math.floor(pad / 2));
  const large = total.map((pad) => Math.ceil(pad / 2));
  return autoPad === "SAME_UPPER"
    ? { padsBegin: small, padsEnd: large }
    : { padsBegin: large, padsEnd: small };
}
