import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { expect, test } from "vitest";

const one = Tensor.f32([1], Float32Array.of(1));
const two = Tensor.f32([2], Float32Array.of(1, 2));

test("keeps its tensors in the order they were given", () => {
  const parameters = new ParameterSet([
    ["z", one],
    ["a", two],
  ]);

  expect(parameters.names()).toEqual(["z", "a"]);
  expect([...parameters]).toEqual(parameters.entries());
  expect(parameters.size).toBe(2);
  expect(parameters.byteLength).toBe(12);
});

test("answers undefined for a name it does not hold, a name of Object's prototype included", () => {
  const parameters = new ParameterSet([["w", one]]);

  expect(parameters.get("w")).toBe(one);
  expect([parameters.get("b"), parameters.get("constructor")]).toEqual([undefined, undefined]);
  expect([parameters.has("w"), parameters.has("__proto__")]).toEqual([true, false]);
});

test("refuses the same name twice", () => {
  const entries = [["w", one] as const, ["w", two] as const];

  expect(() => new ParameterSet(entries)).toThrow("w occurs twice");
});
