import { type DType, isDType, MAX_RANK, ParameterSet, Tensor } from "../../tensor/index.ts";
import { type Decomposer, requireBytes, requireFields } from "../decomposer.ts";

/** Longest name of a parameter, in characters. */
const MAX_NAME_LENGTH = 512;

/** Tensor, as `[dtype, shape, little-endian bytes]`. Large ones travel as streams instead. */
export const tensorDecomposer: Decomposer<Tensor> = {
  id: 5,
  name: "Tensor",
  type: Tensor,
  decompose: ({ dtype, shape, data }) => [dtype, shape, data],
  compose(fields) {
    const [dtype, shape, data] = requireFields(fields, 3);
    if (!isDType(dtype)) throw new RangeError("expected a dtype");
    const bytes = requireBytes(data);
    const tensor = new Tensor(dtype, requireShape(shape), bytes); // checks the length
    requireBooleans(dtype, bytes);
    return tensor;
  },
};

/** ParameterSet, as an array of names and tensors in turns, in their order. */
export const parameterSetDecomposer: Decomposer<ParameterSet> = {
  id: 6,
  name: "ParameterSet",
  type: ParameterSet,
  decompose: (value) => value.entries().flat(1),
  compose(fields) {
    if (!Array.isArray(fields) || fields.length % 2 !== 0) throw new RangeError("expected names and tensors");
    const entries: [string, Tensor][] = [];
    for (let index = 0; index < fields.length; index += 2) {
      entries.push([requireName(fields[index]), requireTensor(fields[index + 1])]);
    }
    return new ParameterSet(entries); // refuses a name that occurs twice
  },
};

function requireShape(shape: unknown): readonly number[] {
  if (!Array.isArray(shape) || shape.length > MAX_RANK) throw new RangeError("expected a shape");
  return shape.map((dimension: unknown) => {
    if (typeof dimension !== "number") throw new RangeError("expected a dimension");
    return dimension;
  });
}

/** Bytes of booleans are 0 or 1: others would be truth in one runtime and lies in another. */
function requireBooleans(dtype: DType, bytes: Uint8Array): void {
  if (dtype === "bool" && bytes.some((byte) => byte > 1)) throw new RangeError("a bool is 0 or 1");
}

function requireName(name: unknown): string {
  if (typeof name !== "string" || name.length === 0 || name.length > MAX_NAME_LENGTH) {
    throw new RangeError(`a name has 1 to ${MAX_NAME_LENGTH} characters`);
  }
  return name;
}

function requireTensor(tensor: unknown): Tensor {
  if (!(tensor instanceof Tensor)) throw new RangeError("expected a Tensor");
  return tensor;
}
