import type { Profile } from "../gradient/index.ts";
import { Algebra, type GraphBuilder } from "../graph/index.ts";
import { int } from "../onnx/index.ts";

/** log softmax and softmax of logits, of their shape. */
export interface Distribution {
  /** log softmax */
  readonly logarithms: string;
  /** softmax */
  readonly probabilities: string;
}

/** One node where there is a kernel for it; WebGPU has none, and would send the logits to the CPU and back. */
export function distributionOf(
  builder: GraphBuilder,
  logits: string,
  { profile, axis }: { readonly profile: Profile; readonly axis: number },
): Distribution {
  const algebra = new Algebra(builder);
  if (profile !== "webgpu") {
    const logarithms = builder.add("LogSoftmax", [logits], { attributes: { axis: int(axis) } });
    return { logarithms, probabilities: algebra.apply("Exp", logarithms) };
  }
  const shifted = algebra.sub(logits, algebra.reduce("ReduceMax", logits, { axes: [axis] }));
  const exponentials = algebra.apply("Exp", shifted);
  const normalizer = algebra.reduce("ReduceSum", exponentials, { axes: [axis] });
  return {
    logarithms: algebra.sub(shifted, algebra.apply("Log", normalizer)),
    probabilities: algebra.div(exponentials, normalizer),
  };
}
