import { attribute, numbersOf, type Operand } from "../graph/index.ts";
import {
  algebraOf,
  type Backward,
  type GradientRule,
  type GradientTable,
  inputOf,
  ofOneOutput,
  outputOf,
} from "./rule.ts";
import { unbroadcast } from "./unbroadcast.ts";

type Term = (backward: Backward, gradient: string) => string;

/** A rule given by one term per operand, each of the shape of the output; undefined where an operand has no gradient. */
function broadcasting(...terms: readonly (Term | undefined)[]): GradientRule {
  return ofOneOutput((backward, gradient) =>
    terms.map((term, index) => {
      if (!backward.wants[index] || term === undefined) return undefined;
      const { builder } = backward;
      return unbroadcast(builder, term(backward, gradient), builder.shape(inputOf(backward, index)));
    }),
  );
}

const negative: Term = (backward, gradient) => algebraOf(backward).apply("Neg", gradient);

const through: Term = (_, gradient) => gradient;

const times =
  (factor: (backward: Backward) => Operand): Term =>
  (backward, gradient) =>
    algebraOf(backward).mul(gradient, factor(backward));

const other = (index: number): Term => times((backward) => inputOf(backward, index));

/** f32 1 where the two compare so, else 0. */
const where = (
  backward: Backward,
  comparison: string,
  [left, right]: readonly [Operand, Operand],
): string => {
  const algebra = algebraOf(backward);
  return algebra.indicator(algebra.apply(comparison, left, right));
};

/** dy · [y > 0] */
const relu: Term = times((backward) => where(backward, "Greater", [outputOf(backward, 0), 0]));

/** dy · (a + (1 - a) [x > 0]) */
const leakyRelu: Term = times((backward) => {
  const algebra = algebraOf(backward);
  const slope = attribute(backward.typed, "float", "alpha") ?? 0.01;
  const rise = algebra.mul(where(backward, "Greater", [inputOf(backward, 0), 0]), 1 - slope);
  return algebra.add(rise, slope);
});

/** dy where x > 0, else dy · (y + a), since there y = a (exp(x) - 1) */
const elu: Term = times((backward) => {
  const algebra = algebraOf(backward);
  const alpha = attribute(backward.typed, "float", "alpha") ?? 1;
  const falling = algebra.add(outputOf(backward, 0), alpha);
  return algebra.apply("Where", algebra.apply("Greater", inputOf(backward, 0), 0), 1, falling);
});

/** dy · a [0 < y < 1] */
const hardSigmoid: Term = times((backward) => {
  const algebra = algebraOf(backward);
  const y = outputOf(backward, 0);
  const alpha = attribute(backward.typed, "float", "alpha") ?? 0.2;
  const inside = algebra.apply("And", algebra.apply("Greater", y, 0), algebra.apply("Less", y, 1));
  return algebra.mul(algebra.indicator(inside), alpha);
});

/** d(a / b) = da / b - (y / b) db */
const divisor: Term = (backward, gradient) => {
  const algebra = algebraOf(backward);
  return algebra.apply(
    "Neg",
    algebra.div(algebra.mul(gradient, outputOf(backward, 0)), inputOf(backward, 1)),
  );
};

const tanh: Term = times((backward) => {
  const algebra = algebraOf(backward);
  const y = outputOf(backward, 0);
  return algebra.sub(1, algebra.mul(y, y));
});

const sigmoid: Term = times((backward) => {
  const algebra = algebraOf(backward);
  const y = outputOf(backward, 0);
  return algebra.mul(y, algebra.sub(1, y));
});

/** d√x = dx / 2y */
const squareRoot: Term = (backward, gradient) => {
  const algebra = algebraOf(backward);
  return algebra.div(algebra.mul(gradient, 0.5), outputOf(backward, 0));
};

/** d(1/x) = -y² dx */
const reciprocal: Term = (backward, gradient) => {
  const algebra = algebraOf(backward);
  const y = outputOf(backward, 0);
  return algebra.apply("Neg", algebra.mul(gradient, algebra.mul(y, y)));
};

/** d erf(x) = 2 / √π · exp(-x²) dx */
const erf: Term = times((backward) => {
  const algebra = algebraOf(backward);
  const x = inputOf(backward, 0);
  return algebra.mul(algebra.apply("Exp", algebra.apply("Neg", algebra.mul(x, x))), 2 / Math.sqrt(Math.PI));
});

/** d log(1 + exp(x)) = sigmoid(x) dx */
const softplus: Term = times((backward) => algebraOf(backward).apply("Sigmoid", inputOf(backward, 0)));

const sine: Term = times((backward) => algebraOf(backward).apply("Cos", inputOf(backward, 0)));

const cosine: Term = (backward, gradient) => {
  const algebra = algebraOf(backward);
  return negative(backward, algebra.mul(gradient, algebra.apply("Sin", inputOf(backward, 0))));
};

/** dx = dy [low <= x <= high]: at a bound the gradient passes, as it does in PyTorch. Bounds have no gradient. */
const clip: Term = (backward, gradient) => {
  const algebra = algebraOf(backward);
  const [x, low, high] = [inputOf(backward, 0), inputOf(backward, 1), inputOf(backward, 2)];
  const above =
    low === "" ? gradient : algebra.apply("Where", algebra.apply("GreaterOrEqual", x, low), gradient, 0);
  return high === "" ? above : algebra.apply("Where", algebra.apply("LessOrEqual", x, high), above, 0);
};

const chosen: Term = (backward, gradient) =>
  algebraOf(backward).apply("Where", inputOf(backward, 0), gradient, 0);

const notChosen: Term = (backward, gradient) =>
  algebraOf(backward).apply("Where", inputOf(backward, 0), 0, gradient);

/** The gradient goes to the operand that the extreme came from; equal ones share it. */
const extreme: GradientRule = ofOneOutput((backward, gradient) => {
  const { builder, typed, wants } = backward;
  const algebra = algebraOf(backward);
  const y = outputOf(backward, 0);
  const hits = typed.node.inputs.map((input) => algebra.indicator(algebra.apply("Equal", input, y)));
  const count = hits.reduce((total, hit) => algebra.add(total, hit));
  const share = algebra.div(gradient, count);
  return hits.map((hit, index) =>
    wants[index]
      ? unbroadcast(builder, algebra.mul(hit, share), builder.shape(inputOf(backward, index)))
      : undefined,
  );
});

/** d aᵇ by a: b aᵇ⁻¹; a whole power is a product where it can be. */
const powerByBase: Term = (backward, gradient) => {
  const algebra = algebraOf(backward);
  const [a, b] = [inputOf(backward, 0), exponentOf(backward)];
  if (b === 2) return algebra.mul(gradient, algebra.mul(a, 2));
  if (b === 1) return gradient;
  if (b === 0) return algebra.mul(gradient, 0);
  const lower = typeof b === "number" ? b - 1 : algebra.sub(b, 1);
  return algebra.mul(gradient, algebra.mul(algebra.apply("Pow", a, lower), b));
};

/** d aᵇ by b: y log a, and 0 where a is not positive. */
const powerByExponent: Term = (backward, gradient) => {
  const algebra = algebraOf(backward);
  const a = inputOf(backward, 0);
  const safe = algebra.apply("Where", algebra.apply("Greater", a, 0), a, 1);
  return algebra.mul(gradient, algebra.mul(outputOf(backward, 0), algebra.apply("Log", safe)));
};

/** A constant exponent as a number; else its value in f32. */
function exponentOf(backward: Backward): Operand {
  const { builder, typed } = backward;
  const constant = typed.constants[1];
  const [value, ...others] = constant === undefined || constant.shape.length > 1 ? [] : numbersOf(constant);
  if (value !== undefined && others.length === 0 && constant?.shape.length === 0) return value;
  const name = inputOf(backward, 1);
  return builder.type(name).dtype === "f32" ? name : algebraOf(backward).indicator(name);
}

/** Steps and signs: their derivative is 0 wherever there is one. */
const flat: GradientRule = () => [];

/** Gradients of operators that work element by element. */
export const ELEMENTWISE_GRADIENTS: GradientTable = {
  Add: broadcasting(through, through),
  Sub: broadcasting(through, negative),
  Mul: broadcasting(other(1), other(0)),
  Div: broadcasting((backward, gradient) => algebraOf(backward).div(gradient, inputOf(backward, 1)), divisor),
  Min: extreme,
  Max: extreme,
  Pow: broadcasting(powerByBase, powerByExponent),
  Where: broadcasting(undefined, chosen, notChosen),
  Clip: broadcasting(clip),
  Neg: broadcasting(negative),
  Abs: broadcasting(times((backward) => algebraOf(backward).apply("Sign", inputOf(backward, 0)))),
  Exp: broadcasting(times((backward) => outputOf(backward, 0))),
  Log: broadcasting((backward, gradient) => algebraOf(backward).div(gradient, inputOf(backward, 0))),
  Sin: broadcasting(sine),
  Cos: broadcasting(cosine),
  Sqrt: broadcasting(squareRoot),
  Reciprocal: broadcasting(reciprocal),
  Erf: broadcasting(erf),
  Softplus: broadcasting(softplus),
  Relu: broadcasting(relu),
  LeakyRelu: broadcasting(leakyRelu),
  Elu: broadcasting(elu),
  HardSigmoid: broadcasting(hardSigmoid),
  Tanh: broadcasting(tanh),
  Sigmoid: broadcasting(sigmoid),
  Sign: flat,
  Floor: flat,
  Ceil: flat,
  Round: flat,
};
