import {
  BYTES_PER_ELEMENT,
  type DType,
  elementCount,
  isDType,
  isFloatDType,
  MAX_RANK,
  Tensor,
} from "@photinus/core/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";

const anyDType = fc.constantFrom(...(Object.keys(BYTES_PER_ELEMENT) as DType[]));
const anyShape = fc.array(fc.nat(4), { maxLength: 4 });

test("a scalar has one element, a shape with a zero none", () => {
  expect(elementCount([])).toBe(1);
  expect(elementCount([3, 0, 2])).toBe(0);
  expect(elementCount([2, 3, 4])).toBe(24);
});

test.for<{ readonly shape: readonly number[] }>([
  { shape: [-1] },
  { shape: [1.5] },
  { shape: [Number.NaN] },
  { shape: [Number.POSITIVE_INFINITY] },
  { shape: [2 ** 27, 2 ** 27] },
  { shape: new Array<number>(MAX_RANK + 1).fill(1) },
])("refuses the shape $shape", ({ shape }) => {
  expect(() => elementCount(shape)).toThrow(RangeError);
});

test("a tensor keeps aligned data without a copy", () => {
  fc.assert(
    fc.property(anyDType, anyShape, (dtype, shape) => {
      const data = new Uint8Array(elementCount(shape) * BYTES_PER_ELEMENT[dtype]);

      const tensor = new Tensor(dtype, shape, data);

      expect(tensor.data).toBe(data);
      expect(tensor).toMatchObject({ dtype, shape });
    }),
  );
});

test("a tensor refuses data of another length than its shape has", () => {
  fc.assert(
    fc.property(anyDType, anyShape, fc.constantFrom(-1, 1), (dtype, shape, difference) => {
      const length = elementCount(shape) * BYTES_PER_ELEMENT[dtype] + difference;
      fc.pre(length >= 0);

      expect(() => new Tensor(dtype, shape, new Uint8Array(length))).toThrow(RangeError);
    }),
  );
});

test("data that is not aligned to the element size is copied", () => {
  const memory = new Uint8Array(12);
  memory.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1);

  const tensor = new Tensor("f32", [2], memory.subarray(1, 9));

  expect(tensor.data.byteOffset % 4).toBe(0);
  expect(Array.from(tensor.f32)).toEqual([1.5, -2]);
});

test("a later change of the caller's shape does not reach the tensor", () => {
  const shape = [2];
  const tensor = new Tensor("u8", shape, new Uint8Array(2));

  shape[0] = 9;

  expect(tensor.shape).toEqual([2]);
  expect(Object.isFrozen(tensor.shape)).toBe(true);
});

test("an f32 tensor lies over the memory of its values", () => {
  const values = Float32Array.of(1, 2, 3);

  const tensor = Tensor.f32([3], values);
  values[1] = 7;

  expect(Array.from(tensor.f32)).toEqual([1, 7, 3]);
});

test("only an f32 tensor is read as f32", () => {
  expect(() => new Tensor("i32", [1], new Uint8Array(4)).f32).toThrow(TypeError);
});

test("knows the names of element types and nothing else", () => {
  expect(["f32", "bool", "u64"].every(isDType)).toBe(true);
  expect(["float32", "", "constructor", 3, undefined, null].filter(isDType)).toEqual([]);
});

test("float types are those that may be averaged", () => {
  const floats = (Object.keys(BYTES_PER_ELEMENT) as DType[]).filter(isFloatDType);

  expect(floats).toEqual(["f32", "f16", "bf16", "f64"]);
});
