import { elementCount } from "@photinus/core/tensor";
import { attribute, inputType, normalAxis, numbersOf, unsupported } from "../graph/index.ts";
import { int, text } from "../onnx/index.ts";
import { algebraOf, type Backward, type GradientTable, inputOf, ofOneOutput } from "./rule.ts";

const axisOf = ({ typed }: Backward): number =>
  normalAxis(typed.node, attribute(typed, "int", "axis") ?? 0, inputType(typed, 0).shape.length);

/** Indices counted from the front: providers differ in what they make of negative ones when they scatter. */
function fromFront(backward: Backward, indices: string, size: number): string {
  const { builder } = backward;
  const constant = builder.constantOf(indices);
  if (constant !== undefined && numbersOf(constant).every((index) => index >= 0)) return indices;
  const dtype = builder.type(indices).dtype === "i32" ? "i32" : "i64";
  const isNegative = builder.add("Less", [indices, builder.numbers(dtype, 0)]);
  const moved = builder.add("Add", [indices, builder.numbers(dtype, size)]);
  return builder.add("Where", [isNegative, moved, indices]);
}

/**
 * The gradient of each picked row is added to the row it came from: rows of the axis brought to the front, so that an
 * embedding costs as much as the tokens of its batch. One constant index is a slice.
 */
const gather = ofOneOutput((backward, gradient) => {
  const { builder, typed } = backward;
  const algebra = algebraOf(backward);
  const { shape } = inputType(typed, 0);
  const axis = axisOf(backward);
  const size = shape[axis] ?? 0;
  const indices = inputOf(backward, 1);
  const constant = typed.constants[1];
  const [only, ...others] = constant === undefined ? [] : numbersOf(constant);
  if (only !== undefined && others.length === 0) {
    const start = only < 0 ? only + size : only;
    const wide = algebra.reshape(gradient, shape.toSpliced(axis, 1, 1));
    const before = shape.map((_, at) => (at === axis ? start : 0));
    return [
      algebra.pad(
        wide,
        before,
        shape.map((_, at) => (at === axis ? size - start - 1 : 0)),
      ),
    ];
  }
  const count = elementCount(builder.shape(indices));
  const [outer, inner] = [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis + 1))];
  const rows = algebra.transpose(algebra.reshape(gradient, [outer, count, inner]), [1, 0, 2]);
  const list = algebra.reshape(toI64(backward, fromFront(backward, indices, size)), [count, 1]);
  const added = builder.add("ScatterND", [algebra.zeros([size, outer, inner]), list, rows], {
    attributes: { reduction: text("add") },
  });
  return [algebra.reshape(algebra.transpose(added, [1, 0, 2]), shape)];
});

function toI64({ builder }: Backward, indices: string): string {
  if (builder.type(indices).dtype === "i64") return indices;
  return builder.add("Cast", [indices], { attributes: { to: int(7) } });
}

const gatherElements = ofOneOutput((backward, gradient) => {
  const { builder, typed } = backward;
  const { shape } = inputType(typed, 0);
  const axis = axisOf(backward);
  const indices = fromFront(backward, inputOf(backward, 1), shape[axis] ?? 0);
  const zeros = algebraOf(backward).zeros(shape);
  return [
    builder.add("ScatterElements", [zeros, indices, gradient], {
      attributes: { axis: int(axis), reduction: text("add") },
    }),
  ];
});

const gatherNd = ofOneOutput((backward, gradient) => {
  const { builder, typed } = backward;
  if ((attribute(typed, "int", "batch_dims") ?? 0) !== 0)
    unsupported(typed.node, "batch_dims has no gradient");
  const zeros = algebraOf(backward).zeros(inputType(typed, 0).shape);
  return [
    builder.add("ScatterND", [zeros, inputOf(backward, 1), gradient], {
      attributes: { reduction: text("add") },
    }),
  ];
});

/** What is written over owes nothing to the data; what is added leaves it alone. */
function reductionOf({ typed }: Backward): "none" | "add" {
  const reduction = attribute(typed, "text", "reduction") ?? "none";
  if (reduction !== "none" && reduction !== "add")
    unsupported(typed.node, `reduction ${reduction} has no gradient`);
  return reduction;
}

const scatterNd = ofOneOutput((backward, gradient) => {
  const { builder, typed, wants } = backward;
  const indices = inputOf(backward, 1);
  const overwritten = (): string =>
    builder.add("ScatterND", [gradient, indices, algebraOf(backward).zeros(inputType(typed, 2).shape)]);
  const data = reductionOf(backward) === "add" ? (): string => gradient : overwritten;
  return [
    wants[0] ? data() : undefined,
    undefined,
    wants[2] ? builder.add("GatherND", [gradient, indices]) : undefined,
  ];
});

const scatterElements = ofOneOutput((backward, gradient) => {
  const { builder, typed, wants } = backward;
  const attributes = { axis: int(axisOf(backward)) };
  const indices = inputOf(backward, 1);
  const overwritten = (): string =>
    builder.add(
      "ScatterElements",
      [gradient, indices, algebraOf(backward).zeros(inputType(typed, 2).shape)],
      {
        attributes,
      },
    );
  const data = reductionOf(backward) === "add" ? (): string => gradient : overwritten;
  return [
    wants[0] ? data() : undefined,
    undefined,
    wants[2] ? builder.add("GatherElements", [gradient, indices], { attributes }) : undefined,
  ];
});

/** Each element took part in the sums from its own place on: the sum of their gradients, from the other end. */
const cumulativeSum = ofOneOutput((backward, gradient) => {
  const { builder, typed } = backward;
  const exclusive = attribute(typed, "int", "exclusive") ?? 0;
  const reverse = attribute(typed, "int", "reverse") ?? 0;
  const attributes = { exclusive: int(exclusive), reverse: int(1 - reverse) };
  return [builder.add("CumSum", [gradient, inputOf(backward, 1)], { attributes })];
});

/** Gradients of operators that pick or write single elements. */
export const INDEXING_GRADIENTS: GradientTable = {
  CumSum: cumulativeSum,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
};
