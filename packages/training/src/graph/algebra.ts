import { elementCount } from "@photinus/core/tensor";
import { type Attribute, dataTypeOf, int, ints } from "../onnx/index.ts";
import type { GraphBuilder } from "./builder.ts";
import { equalShapes } from "./typed-node.ts";

/** The name of a value, or a number that stands for an f32 constant. */
export type Operand = string | number;

/** Part of one axis, steps of 1. */
export interface Range {
  /** Counted from the front. */
  readonly axis: number;
  /** First element, at least 0. */
  readonly start: number;
  /** Behind the last element. */
  readonly end: number;
}

/** Writes formulas as nodes: each method adds the node of its name and returns the name of its value. */
export class Algebra {
  readonly #builder: GraphBuilder;

  /** @param builder where the nodes are added */
  constructor(builder: GraphBuilder) {
    this.#builder = builder;
  }

  /** An operator of f32 operands without attributes. */
  apply(operator: string, ...operands: readonly Operand[]): string {
    const names = operands.map((operand) =>
      typeof operand === "number" ? this.#builder.numbers("f32", operand) : operand,
    );
    return this.#builder.add(operator, names);
  }

  /** a + b */
  add(a: Operand, b: Operand): string {
    return this.apply("Add", a, b);
  }

  /** a - b */
  sub(a: Operand, b: Operand): string {
    return this.apply("Sub", a, b);
  }

  /** a · b */
  mul(a: Operand, b: Operand): string {
    return this.apply("Mul", a, b);
  }

  /** a / b */
  div(a: Operand, b: Operand): string {
    return this.apply("Div", a, b);
  }

  /** f32 1 where `condition` holds, else 0. */
  indicator(condition: string): string {
    return this.#builder.add("Cast", [condition], { attributes: { to: int(dataTypeOf("f32")) } });
  }

  /** Reduces `axes`, which stay as dimensions of 1 unless told otherwise. */
  reduce(
    operator: "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceProd",
    value: string,
    { axes, keep = true }: { axes: readonly number[]; keep?: boolean },
  ): string {
    if (axes.length === 0) return value;
    return this.#builder.add(operator, [value, this.#builder.numbers("i64", axes)], {
      attributes: { keepdims: int(keep ? 1 : 0) },
    });
  }

  /** The sum of all elements: a scalar. */
  total(value: string): string {
    const axes = this.#builder.shape(value).map((_, axis) => axis);
    return this.reduce("ReduceSum", value, { axes, keep: false });
  }

  /** `value` seen with another shape of as many elements; itself when it has that shape. */
  reshape(value: string, shape: readonly number[]): string {
    if (equalShapes(this.#builder.shape(value), shape)) return value;
    const attributes: Record<string, Attribute> = shape.includes(0) ? { allowzero: int(1) } : {};
    return this.#builder.add("Reshape", [value, this.#builder.numbers("i64", shape)], { attributes });
  }

  /** Axes in another order; where only dimensions of 1 move, the memory is the same. */
  transpose(value: string, perm: readonly number[]): string {
    const shape = this.#builder.shape(value);
    const moved = perm.filter((axis) => shape[axis] !== 1);
    if (moved.every((axis, index) => index === 0 || axis > (moved[index - 1] ?? -1))) {
      return this.reshape(
        value,
        perm.map((axis) => shape[axis] ?? 1),
      );
    }
    return this.#builder.add("Transpose", [value], { attributes: { perm: ints(perm) } });
  }

  /** The last two axes exchanged. */
  swapLast(value: string): string {
    const rank = this.#builder.shape(value).length;
    const perm = Array.from({ length: rank - 2 }, (_, axis) => axis);
    return this.transpose(value, [...perm, rank - 1, rank - 2]);
  }

  /** Part of `value`; itself when it is all of it. */
  slice(value: string, ...ranges: readonly Range[]): string {
    const shape = this.#builder.shape(value);
    const real = ranges.filter(({ axis, start, end }) => start > 0 || end < (shape[axis] ?? 0));
    if (real.length === 0) return value;
    const lists = [real.map(({ start }) => start), real.map(({ end }) => end), real.map(({ axis }) => axis)];
    return this.#builder.add("Slice", [value, ...lists.map((list) => this.#builder.numbers("i64", list))]);
  }

  /** One element of an axis, which vanishes. */
  pick(value: string, axis: number, index: number): string {
    const part = this.slice(value, { axis, start: index, end: index + 1 });
    return this.reshape(part, this.#builder.shape(value).toSpliced(axis, 1));
  }

  /** Values joined along an axis. */
  concat(values: readonly string[], axis: number): string {
    const [first = ""] = values;
    if (values.length === 1) return first;
    return this.#builder.add("Concat", values, { attributes: { axis: int(axis) } });
  }

  /** Zeros around `value`: as many before and behind each axis as the two lists say. */
  pad(value: string, begin: readonly number[], end: readonly number[]): string {
    if ([...begin, ...end].every((count) => count === 0)) return value;
    return this.#builder.add("Pad", [value, this.#builder.numbers("i64", [...begin, ...end])]);
  }

  /** `value` broadcast to `shape`. */
  expand(value: string, shape: readonly number[]): string {
    if (equalShapes(this.#builder.shape(value), shape)) return value;
    return this.#builder.add("Expand", [value, this.#builder.numbers("i64", shape)]);
  }

  /** f32 zeros. */
  zeros(shape: readonly number[]): string {
    return this.expand(this.#builder.numbers("f32", 0), shape);
  }

  /** The elements in one row. */
  flat(value: string): string {
    return this.reshape(value, [elementCount(this.#builder.shape(value))]);
  }
}
