import type { Operator, OperatorTable } from "../operator.ts";
import { attribute, badShape, inputType } from "../typed-node.ts";
import { transposedWindowOf, windowOf } from "../window.ts";

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

/** X[N, M, ...] with W[M, C / group, ...] gives [N, C, ...]. */
const convTranspose: Operator = {
  infer: (typed) => {
    const [x, w] = [inputType(typed, 0), inputType(typed, 1)];
    const group = attribute(typed, "int", "group") ?? 1;
    const [examples = 0, maps = 0] = x.shape;
    if (
      x.shape.length < 3 ||
      w.shape.length !== x.shape.length ||
      w.shape[0] !== maps ||
      maps % group !== 0
    ) {
      badShape(typed.node, `[${x.shape}] with weights [${w.shape}]`);
    }
    const { input } = transposedWindowOf(typed);
    return [{ dtype: x.dtype, shape: [examples, (w.shape[1] ?? 0) * group, ...input] }];
  },
};

/** Convolutions. */
export const CONVOLUTION: OperatorTable = { Conv: conv, ConvTranspose: convTranspose };
