import { attribute } from "../../../src/graph/index.ts";
import { makeValue } from "../value.ts";
import { type Evaluate, elementwise, view } from "./evaluate.ts";

const truth = (value: boolean): number => (value ? 1 : 0);

/** Its series (Abramowitz and Stegun 1964, 7.1.6): exact in float64 for arguments of normal size. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Operators of this group by name. */
export const ELEMENTWISE: Readonly<Record<string, Evaluate>> = {
  Abs: elementwise(Math.abs),
  Add: elementwise((a, b) => a! + b!),
  And: elementwise((a, b) => truth(a !== 0 && b !== 0)),
  Cast: view,
  Ceil: elementwise(Math.ceil),
  Clip: ([x, low, high], _, shape) =>
    makeValue(shape, (index) =>
      Math.min(Math.max(x!.data[index]!, low?.data[0] ?? -Infinity), high?.data[0] ?? Infinity),
    ),
  Cos: elementwise(Math.cos),
  Div: elementwise((a, b) => a! / b!),
  Elu: ([x], typed, shape) => {
    const alpha = attribute(typed, "float", "alpha") ?? 1;
    return makeValue(shape, (index) => {
      const value = x!.data[index]!;
      return value > 0 ? value : alpha * Math.expm1(value);
    });
  },
  Equal: elementwise((a, b) => truth(a === b)),
  Erf: elementwise((a) => erf(a!)),
  Exp: elementwise(Math.exp),
  Floor: elementwise(Math.floor),
  Greater: elementwise((a, b) => truth(a! > b!)),
  GreaterOrEqual: elementwise((a, b) => truth(a! >= b!)),
  HardSigmoid: ([x], typed, shape) => {
    const alpha = attribute(typed, "float", "alpha") ?? 0.2;
    const beta = attribute(typed, "float", "beta") ?? 0.5;
    return makeValue(shape, (index) => Math.max(0, Math.min(1, alpha * x!.data[index]! + beta)));
  },
  Identity: view,
  LeakyRelu: ([x], typed, shape) => {
    const slope = attribute(typed, "float", "alpha") ?? 0.01;
    return makeValue(shape, (index) => (x!.data[index]! > 0 ? 1 : slope) * x!.data[index]!);
  },
  Less: elementwise((a, b) => truth(a! < b!)),
  LessOrEqual: elementwise((a, b) => truth(a! <= b!)),
  Log: elementwise(Math.log),
  Max: elementwise(Math.max),
  Min: elementwise(Math.min),
  Mul: elementwise((a, b) => a! * b!),
  Neg: elementwise((a) => -a!),
  Not: elementwise((a) => truth(a === 0)),
  Pow: elementwise((a, b) => a! ** b!),
  Reciprocal: elementwise((a) => 1 / a!),
  Relu: elementwise((a) => Math.max(0, a!)),
  Round: elementwise((a) => Math.round(a!)),
  Sigmoid: elementwise((a) => 1 / (1 + Math.exp(-a!))),
  Sign: elementwise(Math.sign),
  Sin: elementwise(Math.sin),
  Softplus: elementwise((a) => Math.log1p(Math.exp(-Math.abs(a!))) + Math.max(a!, 0)),
  Sqrt: elementwise(Math.sqrt),
  Sub: elementwise((a, b) => a! - b!),
  Tanh: elementwise(Math.tanh),
  Where: elementwise((condition, a, b) => (condition === 0 ? b! : a!)),
};
