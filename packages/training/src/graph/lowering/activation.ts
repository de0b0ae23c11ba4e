import { attribute, unsupported } from "../typed-node.ts";
import { floatOf, type Lowered, type Lowering, type LoweringTable, requiredOperand } from "./lowering.ts";

/** A function of one operand. */
const ofOne =
  (formula: (lowered: Lowered, x: string) => string): Lowering =>
  (lowered) => [formula(lowered, requiredOperand(lowered, 0))];

/** x Φ(x) exactly, or by tanh (Hendrycks and Gimpel 2016). */
const gelu = ofOne((lowered, x) => {
  const { algebra } = lowered;
  const half = algebra.mul(x, 0.5);
  const approximate = attribute(lowered, "text", "approximate") ?? "none";
  if (approximate === "none") {
    const erf = algebra.apply("Erf", algebra.mul(x, Math.SQRT1_2));
    return algebra.mul(half, algebra.add(erf, 1));
  }
  if (approximate !== "tanh") unsupported(lowered.node, `approximate ${approximate}`);
  const cube = algebra.mul(algebra.mul(x, x), x);
  const inner = algebra.mul(algebra.add(x, algebra.mul(cube, 0.044715)), Math.sqrt(2 / Math.PI));
  return algebra.mul(half, algebra.add(algebra.apply("Tanh", inner), 1));
});

/** x max(0, min(1, x / 6 + 1 / 2)) (Howard et al. 2019) */
const hardSwish = ofOne(({ algebra }, x) => {
  const gate = algebra.apply("Clip", algebra.add(algebra.mul(x, 1 / 6), 0.5), 0, 1);
  return algebra.mul(x, gate);
});

/** x tanh(softplus(x)) (Misra 2019) */
const mish = ofOne(({ algebra }, x) => algebra.mul(x, algebra.apply("Tanh", algebra.apply("Softplus", x))));

/** max(0, x) + min(0, α (exp(x / α) - 1)), the exponential only where it is used, so that it cannot overflow. */
const celu = ofOne((lowered, x) => {
  const { algebra } = lowered;
  const alpha = floatOf(lowered, "alpha", 1);
  const below = algebra.apply("Min", x, 0);
  const curve = algebra.mul(algebra.sub(algebra.apply("Exp", algebra.div(below, alpha)), 1), alpha);
  return algebra.add(algebra.apply("Relu", x), curve);
});

/** γ x, or γ (α exp(x) - α) below 0 (Klambauer et al. 2017). */
const selu = ofOne((lowered, x) => {
  const { algebra } = lowered;
  const alpha = floatOf(lowered, "alpha", 1.6732631921768188);
  const gamma = floatOf(lowered, "gamma", 1.0507010221481323);
  const below = algebra.apply("Min", x, 0);
  const curve = algebra.mul(algebra.sub(algebra.apply("Exp", below), 1), alpha);
  return algebra.mul(algebra.add(algebra.apply("Relu", x), curve), gamma);
});

/** x where x > α, else 0. */
const thresholdedRelu = ofOne((lowered, x) => {
  const { algebra } = lowered;
  return algebra.apply("Where", algebra.apply("Greater", x, floatOf(lowered, "alpha", 1)), x, 0);
});

/** x / (1 + |x|) */
const softsign = ofOne(({ algebra }, x) => algebra.div(x, algebra.add(algebra.apply("Abs", x), 1)));

/** x where x > 0, else slope · x; the slope may be trained (He et al. 2015). */
const pRelu: Lowering = (lowered) => {
  const { algebra } = lowered;
  const [x, slope] = [requiredOperand(lowered, 0), requiredOperand(lowered, 1)];
  return [algebra.add(algebra.apply("Relu", x), algebra.mul(slope, algebra.apply("Min", x, 0)))];
};

/** Activations that are made of simpler ones. */
export const ACTIVATION_LOWERINGS: LoweringTable = {
  Celu: celu,
  Gelu: gelu,
  HardSwish: hardSwish,
  Mish: mish,
  PRelu: pRelu,
  Selu: selu,
  Softsign: softsign,
  ThresholdedRelu: thresholdedRelu,
};
