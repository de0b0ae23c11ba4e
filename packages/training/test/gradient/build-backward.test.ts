import { describe, expect, test } from "vitest";
import { buildBackward } from "../../src/gradient/index.ts";
import { GraphBuilder } from "../../src/graph/index.ts";
import { ints } from "../../src/onnx/index.ts";
import { interpret } from "../reference/interpret.ts";

const f32 = (...shape: number[]) => ({ dtype: "f32", shape }) as const;

describe("buildBackward", () => {
  test("adds the gradients of a value that several nodes use", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", f32(1));
    const y = builder.add("Add", [builder.add("Mul", [x, x]), x]); // y = x² + x, dy/dx = 2x + 1
    const seed = builder.input("seed", f32(1));

    const gradients = buildBackward(builder, { output: y, gradient: seed, parameters: [x], profile: "cpu" });

    const feed = (value: number) => ({ shape: [1], data: Float64Array.of(value) });
    const values = interpret(
      builder,
      new Map([
        [x, feed(3)],
        [seed, feed(1)],
      ]),
    );
    expect(values.get(gradients.get(x)!)?.data[0]).toBe(7);
  });

  test("adds nothing for inputs whose gradient nobody wants", () => {
    const builder = new GraphBuilder();
    const [x, w] = [builder.input("x", f32(2, 3)), builder.input("w", f32(3, 4))];
    const y = builder.add("Gemm", [x, w]);
    const before = builder.nodes.length;

    buildBackward(builder, {
      output: y,
      gradient: builder.input("seed", f32(2, 4)),
      parameters: [w],
      profile: "cpu",
    });

    expect(builder.nodes.length - before).toBe(1);
  });

  test("leaves out a parameter that the output does not depend on", () => {
    const builder = new GraphBuilder();
    const [x, other] = [builder.input("x", f32(2)), builder.input("other", f32(2))];
    const y = builder.add("Neg", [x]);

    const gradients = buildBackward(builder, {
      output: y,
      gradient: x,
      parameters: [x, other],
      profile: "cpu",
    });

    expect([...gradients.keys()]).toEqual([x]);
  });

  test("refuses an operator without a rule, naming operator and node", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", f32(2, 3));
    const [y] = builder.addNode({
      ...{ name: "classify", operator: "ArgMax", inputs: [x], outputs: ["y"], attributes: new Map() },
    });

    const build = () => buildBackward(builder, { output: y!, gradient: y!, parameters: [x], profile: "cpu" });

    expect(build).toThrow(
      expect.objectContaining({
        code: "ERR_MODEL_OPERATOR",
        message: expect.stringMatching(/ArgMax.*classify/),
      }),
    );
  });

  test.each([
    ["webgpu", "MaxPool"],
    ["cpu", "AveragePool"],
  ] as const)(
    "refuses windows whose gradient on %s would need gigabytes of constants",
    (profile, operator) => {
      const builder = new GraphBuilder();
      const x = builder.input("x", f32(1, 1, 2000, 2000));
      const attributes = { kernel_shape: ints([900, 900]), pads: ints([1, 1, 1, 1]) };
      const y = builder.add(operator, [x], { attributes });

      const build = () => buildBackward(builder, { output: y, gradient: y, parameters: [x], profile });

      expect(build).toThrow(expect.objectContaining({ code: "ERR_MODEL_OPERATOR" }));
    },
  );
});
