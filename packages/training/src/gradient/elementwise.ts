import { attribute, type GraphBuilder } from "../graph/index.ts";
import { dataTypeOf, int } from "../onnx/index.ts";
import {
  type Backward,
  type GradientRule,
  type GradientTable,
  inputOf,
  ofOneOutput,
  outputOf,
} from "./rule.ts";
import { unbroadcast } from "./unbroadcast.ts";

type Term = (backward: Backward, gradient: string) => string;

/** A rule given by one term per operand, each of the shape of the output. */
function broadcasting(...terms: readonly Term[]): GradientRule {
  return ofOneOutput((backward, gradient) =>
    terms.map((term, index) => {
      if (!backward.wants[index]) return undefined;
      const { builder } = backward;
      return unbroadcast(builder, term(backward, gradient), builder.shape(inputOf(backward, index)));
    }),
  );
}

const negative = (builder: GraphBuilder, value: string): string => builder.add("Neg", [value]);

/** 1 - y² and the like: `constant - value`. */
const from = (builder: GraphBuilder, constant: number, value: string): string =>
  builder.add("Sub", [builder.numbers("f32", constant), value]);

const through: Term = (_, gradient) => gradient;

const times =
  (factor: (backward: Backward) => string): Term =>
  (backward, gradient) =>
    backward.builder.add("Mul", [gradient, factor(backward)]);

const other = (index: number): Term => times((backward) => inputOf(backward, index));

/** f32 1 where `value` > 0, else 0. */
function isPositive(builder: GraphBuilder, value: string): string {
  const positive = builder.add("Greater", [value, builder.numbers("f32", 0)]);
  return builder.add("Cast", [positive], { attributes: { to: int(dataTypeOf("f32")) } });
}

/** dy · [y > 0] */
const relu: Term = times((backward) => isPositive(backward.builder, outputOf(backward, 0)));

/** dy · (a + (1 - a) [x > 0]) */
const leakyRelu: Term = times((backward) => {
  const { builder, typed } = backward;
  const slope = attribute(typed, "float", "alpha") ?? 0.01;
  const rise = builder.add("Mul", [
    isPositive(builder, inputOf(backward, 0)),
    builder.numbers("f32", 1 - slope),
  ]);
  return builder.add("Add", [rise, builder.numbers("f32", slope)]);
});

/** d(a / b) = da / b - (y / b) db */
const divisor: Term = (backward, gradient) => {
  const { builder } = backward;
  const scaled = builder.add("Mul", [gradient, outputOf(backward, 0)]);
  return negative(builder, builder.add("Div", [scaled, inputOf(backward, 1)]));
};

const tanh: Term = times((backward) => {
  const y = outputOf(backward, 0);
  return from(backward.builder, 1, backward.builder.add("Mul", [y, y]));
});

const sigmoid: Term = times((backward) => {
  const y = outputOf(backward, 0);
  return backward.builder.add("Mul", [y, from(backward.builder, 1, y)]);
});

/** d√x = dx / 2y */
const squareRoot: Term = (backward, gradient) => {
  const { builder } = backward;
  const half = builder.add("Mul", [gradient, builder.numbers("f32", 0.5)]);
  return builder.add("Div", [half, outputOf(backward, 0)]);
};

/** d(1/x) = -y² dx */
const reciprocal: Term = (backward, gradient) => {
  const { builder } = backward;
  const y = outputOf(backward, 0);
  return negative(builder, builder.add("Mul", [gradient, builder.add("Mul", [y, y])]));
};

/** Gradients of operators that work element by element. */
export const ELEMENTWISE_GRADIENTS: GradientTable = {
  Add: broadcasting(through, through),
  Sub: broadcasting(through, ({ builder }, gradient) => negative(builder, gradient)),
  Mul: broadcasting(other(1), other(0)),
  Div: broadcasting(
    (backward, gradient) => backward.builder.add("Div", [gradient, inputOf(backward, 1)]),
    divisor,
  ),
  Neg: broadcasting(({ builder }, gradient) => negative(builder, gradient)),
  Abs: broadcasting(times((backward) => backward.builder.add("Sign", [inputOf(backward, 0)]))),
  Exp: broadcasting(times((backward) => outputOf(backward, 0))),
  Log: broadcasting((backward, gradient) => backward.builder.add("Div", [gradient, inputOf(backward, 0)])),
  Sqrt: broadcasting(squareRoot),
  Reciprocal: broadcasting(reciprocal),
  Relu: broadcasting(relu),
  LeakyRelu: broadcasting(leakyRelu),
  Tanh: broadcasting(tanh),
  Sigmoid: broadcasting(sigmoid),
};
