import { attribute } from "../../../src/graph/index.ts";
import { broadcastAt, coordinatesOf, makeValue } from "../value.ts";
import type { Evaluate } from "./evaluate.ts";

const matMul: Evaluate = ([a, b], _, shape) => {
  const left = a!.shape.length === 1 ? { ...a!, shape: [1, ...a!.shape] } : a!;
  const right = b!.shape.length === 1 ? { ...b!, shape: [...b!.shape, 1] } : b!;
  const rank = Math.max(left.shape.length, right.shape.length);
  const inner = left.shape.at(-1)!;
  const full = [...shape];
  if (b!.shape.length === 1) full.push(1);
  if (a!.shape.length === 1) full.splice(full.length - 1, 0, 1);
  const product = makeValue(full, (index) => {
    const coordinates = coordinatesOf(index, full);
    const [row, column] = coordinates.slice(-2);
    const batch = coordinates.slice(0, rank - 2);
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum += broadcastAt(left, [...batch, row!, k]) * broadcastAt(right, [...batch, k, column!]);
    }
    return sum;
  });
  return { shape, data: product.data };
};

const gemm: Evaluate = ([a, b, c], typed, shape) => {
  const transA = attribute(typed, "int", "transA") === 1;
  const transB = attribute(typed, "int", "transB") === 1;
  const alpha = attribute(typed, "float", "alpha") ?? 1;
  const beta = attribute(typed, "float", "beta") ?? 1;
  const inner = a!.shape[transA ? 0 : 1]!;
  return makeValue(shape, (index) => {
    const [row, column] = coordinatesOf(index, shape);
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      const left = broadcastAt(a!, transA ? [k, row!] : [row!, k]);
      sum += left * broadcastAt(b!, transB ? [column!, k] : [k, column!]);
    }
    return alpha * sum + (c === undefined ? 0 : beta * broadcastAt(c, [row!, column!]));
  });
};

/** Operators of this group by name. */
export const LINEAR: Readonly<Record<string, Evaluate>> = {
  Gemm: gemm,
  MatMul: matMul,
};
