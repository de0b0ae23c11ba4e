import {
  BYTES_PER_ELEMENT,
  type DType,
  elementCount,
  layoutOf,
  layoutOfParameters,
  ParameterSet,
  packParameters,
  TENSOR_ALIGNMENT,
  Tensor,
  unpackParameters,
} from "@photinus/core/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";

const anyTensor = fc
  .record({
    dtype: fc.constantFrom(...(Object.keys(BYTES_PER_ELEMENT) as DType[])),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
    seed: fc.nat(255),
  })
  .map(({ dtype, shape, seed }) => {
    const length = elementCount(shape) * BYTES_PER_ELEMENT[dtype];
    return new Tensor(
      dtype,
      shape,
      Uint8Array.from({ length }, (_, index) => (seed + index) % 256),
    );
  });

const anyParameters = fc
  .uniqueArray(fc.tuple(fc.string({ minLength: 1 }), anyTensor), { selector: ([name]) => name, maxLength: 5 })
  .map((entries) => new ParameterSet(entries));

const plain = (parameters: ParameterSet): unknown[] =>
  parameters.entries().map(([name, { dtype, shape, data }]) => [name, dtype, shape, Array.from(data)]);

test("unpacking gives back what was packed", () => {
  fc.assert(
    fc.property(anyParameters, (parameters) => {
      const unpacked = unpackParameters(layoutOfParameters(parameters), packParameters(parameters));

      expect(plain(unpacked)).toEqual(plain(parameters));
    }),
  );
});

test("every tensor begins aligned, none overlaps the one before", () => {
  fc.assert(
    fc.property(anyParameters, (parameters) => {
      const { tensors, byteLength } = layoutOfParameters(parameters);
      let end = 0;
      for (const { dtype, shape, offset } of tensors) {
        expect(offset % TENSOR_ALIGNMENT).toBe(0);
        expect(offset).toBeGreaterThanOrEqual(end);
        end = offset + elementCount(shape) * BYTES_PER_ELEMENT[dtype];
      }
      expect(byteLength).toBe(end);
    }),
  );
});

test("the padding between tensors is zero", () => {
  const packed = packParameters(
    new ParameterSet([
      ["a", new Tensor("u8", [1], Uint8Array.of(1))],
      ["b", new Tensor("u8", [1], Uint8Array.of(2))],
    ]),
  );

  expect(Array.from(packed)).toEqual([1, ...new Array<number>(15).fill(0), 2]);
});

test("an empty set has no bytes", () => {
  expect(layoutOf([])).toEqual({ tensors: [], byteLength: 0 });
  expect(packParameters(new ParameterSet([])).byteLength).toBe(0);
});

test("unpacked tensors are views over the received bytes", () => {
  const parameters = new ParameterSet([["w", Tensor.f32([2], Float32Array.of(1, 2))]]);
  const bytes = packParameters(parameters);

  const unpacked = unpackParameters(layoutOfParameters(parameters), bytes);

  expect(unpacked.get("w")?.data.buffer).toBe(bytes.buffer);
});

test("refuses bytes of another length than the layout's", () => {
  const layout = layoutOf([{ name: "w", dtype: "f32", shape: [2] }]);

  expect(() => unpackParameters(layout, new Uint8Array(7))).toThrow(RangeError);
  expect(() => unpackParameters(layout, new Uint8Array(9))).toThrow(RangeError);
});

test.for([4, 8, -8, 2 ** 40])("refuses a tensor that lies at %d, outside of the bytes", (offset) => {
  const layout = { tensors: [{ name: "w", dtype: "f32" as const, shape: [2], offset }], byteLength: 8 };

  expect(() => unpackParameters(layout, new Uint8Array(8))).toThrow(RangeError);
});
