import type { Operator, OperatorTable } from "../operator.ts";
import { attribute, badShape, inputType } from "../typed-node.ts";
import { windowOf } from "../window.ts";

/** X[N, C, ...] with W[M, C / group, ...] gives [N, M, ...]. */
const conv: Operator = {
  infer: (typed) => {
    const [x, w] = [inputType(typed, 0), inputType(typed, 1)];
    const group = attribute(typed, "int", "group") ?? 1;
    const [examples, channels] = x.shape;
    const [maps, channelsPerGroup] = w.shape;
    if (
      examples === undefined ||
      channels === undefined ||
      maps === undefined ||
      channelsPerGroup === undefined
    ) {
      badShape(typed.node, "expected [N, C, ...] and [M, C, ...]");
    }
    if (w.shape.length !== x.shape.length || channelsPerGroup * group !== channels || maps % group !== 0) {
      badShape(typed.node, `[${x.shape}] with weights [${w.shape}] in ${group} groups`);
    }
    const bias = typed.inputs[2];
    if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== maps)) {
      badShape(typed.node, `bias [${bias.shape}] for ${maps} maps`);
    }
    const { output } = windowOf(typed, w.shape.slice(2));
    return [{ dtype: x.dtype, shape: [examples, maps, ...output] }];
  },
};

/** X[N, M, ...] with W[M, C / group, ...] gives [N, C, ...]; only with explicit pads, as gradients use it. */
const convTranspose: Operator = {
  infer: (typed) => {
    const [x, w] = [inputType(typed, 0), inputType(typed, 1)];
    const rank = x.shape.length - 2;
    const list = (name: string, fallback: number, length = rank): readonly number[] =>
      attribute(typed, "ints", name) ?? new Array<number>(length).fill(fallback);
    const [strides, dilations] = [list("strides", 1), list("dilations", 1)];
    const [pads, extra] = [list("pads", 0, 2 * rank), list("output_padding", 0)];
    const group = attribute(typed, "int", "group") ?? 1;
    const [examples = 0, maps] = x.shape;
    if (rank < 1 || w.shape.length !== x.shape.length || w.shape[0] !== maps) {
      badShape(typed.node, `[${x.shape}] with weights [${w.shape}]`);
    }
    if (typed.node.attributes.has("auto_pad") || typed.node.attributes.has("output_shape")) {
      badShape(typed.node, "only explicit pads are supported");
    }
    const output = x.shape.slice(2).map((size, axis) => {
      const reach = ((w.shape[axis + 2] ?? 1) - 1) * (dilations[axis] ?? 1) + 1;
      const pad = (pads[axis] ?? 0) + (pads[axis + rank] ?? 0);
      return (size - 1) * (strides[axis] ?? 1) + reach + (extra[axis] ?? 0) - pad;
    });
    return [{ dtype: x.dtype, shape: [examples, (w.shape[1] ?? 0) * group, ...output] }];
  },
};

/** Convolutions. */
export const CONVOLUTION: OperatorTable = { Conv: conv, ConvTranspose: convTranspose };
