import { elementCount } from "@photinus/core/tensor";
import { attribute, type GraphBuilder, inputType } from "../graph/index.ts";
import { type Attribute, float, int, ints } from "../onnx/index.ts";
import { type GradientTable, inputOf, ofOneOutput } from "./rule.ts";
import { reshape, unbroadcast } from "./unbroadcast.ts";

interface Product {
  /** Left factor, used transposed if `transA`. */
  readonly a: string;
  /** Right factor, used transposed if `transB`. */
  readonly b: string;
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
}

function multiply(builder: GraphBuilder, { a, b, transA, transB, alpha = 1 }: Product): string {
  const attributes: Record<string, Attribute> = {};
  if (transA) attributes["transA"] = int(1);
  if (transB) attributes["transB"] = int(1);
  if (alpha !== 1) attributes["alpha"] = float(alpha);
  return builder.add("Gemm", [a, b], { attributes });
}

// Y = α A' B' + β C, where ' transposes or not:
// dA' = α dY B'ᵀ, dB' = α A'ᵀ dY, dC = β dY summed to the shape of C.
const gemm = ofOneOutput((backward, gradient) => {
  const { builder, typed, wants } = backward;
  const [a, b, c] = [inputOf(backward, 0), inputOf(backward, 1), inputOf(backward, 2)];
  const transA = attribute(typed, "int", "transA") === 1;
  const transB = attribute(typed, "int", "transB") === 1;
  const alpha = attribute(typed, "float", "alpha") ?? 1;
  const beta = attribute(typed, "float", "beta") ?? 1;
  const da = (): string =>
    transA
      ? multiply(builder, { a: b, b: gradient, transA: transB, transB: true, alpha })
      : multiply(builder, { a: gradient, b, transB: !transB, alpha });
  const db = (): string =>
    transB
      ? multiply(builder, { a: gradient, b: a, transA: true, transB: transA, alpha })
      : multiply(builder, { a, b: gradient, transA: !transA, alpha });
  const dc = (): string => {
    const summed = unbroadcast(builder, gradient, builder.shape(c));
    return beta === 1 ? summed : builder.add("Mul", [summed, builder.numbers("f32", beta)]);
  };
  return [wants[0] ? da() : undefined, wants[1] ? db() : undefined, wants[2] ? dc() : undefined];
});

/** Swaps the last two dimensions. */
function transposed(builder: GraphBuilder, value: string): string {
  const rank = builder.shape(value).length;
  const order = Array.from({ length: rank }, (_, axis) => axis);
  const perm = [...order.slice(0, -2), rank - 1, rank - 2];
  return builder.add("Transpose", [value], { attributes: { perm: ints(perm) } });
}

/** dB of A[..., n, k] · B[k, m]: the leading dimensions of A are just more rows. */
function rightFactor(builder: GraphBuilder, a: string, gradient: string): string {
  const rows = (value: string): string => {
    const shape = builder.shape(value);
    const columns = shape.at(-1) ?? 1;
    return reshape(builder, value, [elementCount(shape.slice(0, -1)), columns]);
  };
  return multiply(builder, { a: rows(a), b: rows(gradient), transA: true });
}

/** The gradient of a product with the dimensions that vector operands took away put back. */
function asMatrices(builder: GraphBuilder, gradient: string, [a, b]: readonly [string, string]): string {
  const [left, right] = [builder.shape(a), builder.shape(b)];
  const matrix = [left.at(-2) ?? 1, right.at(-1) ?? 1];
  const rank = Math.max(left.length, right.length) - 2;
  return reshape(builder, gradient, [...builder.shape(gradient).slice(0, rank), ...matrix]);
}

// Y = A B with leading dimensions broadcast: dA = dY Bᵀ, dB = Aᵀ dY, each summed over what was broadcast.
const matMul = ofOneOutput((backward, gradient) => {
  const { builder, typed, wants } = backward;
  const [left, right] = [inputType(typed, 0).shape, inputType(typed, 1).shape];
  // A vector is a matrix of one row (left) or one column (right), and the output lacks that dimension.
  const a = reshape(builder, inputOf(backward, 0), left.length === 1 ? [1, ...left] : left);
  const b = reshape(builder, inputOf(backward, 1), right.length === 1 ? [...right, 1] : right);
  const full = asMatrices(builder, gradient, [a, b]);
  const matrices = builder.shape(a).length === 2 && builder.shape(b).length === 2;
  const da = (): string => {
    if (matrices) return multiply(builder, { a: full, b, transB: true });
    return unbroadcast(builder, builder.add("MatMul", [full, transposed(builder, b)]), builder.shape(a));
  };
  const db = (): string => {
    if (builder.shape(b).length === 2) return rightFactor(builder, a, full);
    return unbroadcast(builder, builder.add("MatMul", [transposed(builder, a), full]), builder.shape(b));
  };
  return [
    wants[0] ? reshape(builder, da(), left) : undefined,
    wants[1] ? reshape(builder, db(), right) : undefined,
  ];
});

/** Gradients of products of matrices. */
export const LINEAR_GRADIENTS: GradientTable = { Gemm: gemm, MatMul: matMul };
