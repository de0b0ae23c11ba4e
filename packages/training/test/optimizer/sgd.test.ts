import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../src/graph/index.ts";
import { sgd } from "../../src/optimizer/index.ts";
import { interpret } from "../reference/interpret.ts";
import type { Value } from "../reference/value.ts";

const type = { dtype: "f32", shape: [2, 2] } as const;
const value = (...data: number[]): Value => ({ shape: [2, 2], data: Float64Array.from(data) });

function oneStep(
  momentum: number,
  gradientOf: (builder: GraphBuilder) => string,
  feeds: Record<string, Value>,
) {
  const builder = new GraphBuilder();
  const update = {
    parameter: builder.input("p", type),
    gradient: gradientOf(builder),
    learningRate: builder.input("rate", { dtype: "f32", shape: [] }),
    state: (name: string) => builder.input(name, type),
  };
  const { parameter, states } = sgd.update(builder, update, { momentum });
  const values = interpret(builder, new Map(Object.entries(feeds)));
  return {
    parameter: [...values.get(parameter)!.data],
    velocity: states["velocity"] && [...values.get(states["velocity"])!.data],
    operators: builder.nodes.map(({ node }) => node.operator),
  };
}

const given = (builder: GraphBuilder) => builder.input("g", type);

describe("sgd", () => {
  test("asks for gradients times the learning rate", () => {
    expect(sgd.scalesGradients).toBe(true);
  });

  test("without momentum descends along the gradient and has no state", () => {
    const { parameter, velocity } = oneStep(0, given, { p: value(1, 2, 3, 4), g: value(1, 2, 3, 3) });

    expect(parameter).toEqual([0, 0, 0, 1]);
    expect(velocity).toBeUndefined();
  });

  test("with momentum adds the gradient to the decayed velocity", () => {
    const feeds = { p: value(1, 1, 1, 1), g: value(1, 2, 3, 4), velocity: value(2, 2, 2, 2) };

    const { parameter, velocity } = oneStep(0.5, given, feeds);

    expect(velocity).toEqual([2, 3, 4, 5]); // 0.5 · 2 + g
    expect(parameter).toEqual([-1, -2, -3, -4]); // 1 - velocity
  });

  test("lets the product that makes a gradient add the velocity", () => {
    const product = (builder: GraphBuilder) =>
      builder.add("Gemm", [builder.input("a", type), builder.input("b", type)]);
    const feeds = {
      p: value(0, 0, 0, 0),
      a: value(1, 2, 3, 4),
      b: value(1, 0, 0, 1),
      velocity: value(2, 2, 2, 2),
    };

    const { velocity, operators } = oneStep(0.5, product, feeds);

    expect(velocity).toEqual([2, 3, 4, 5]);
    expect(operators.filter((operator) => operator === "Add")).toEqual([]);
  });
});
