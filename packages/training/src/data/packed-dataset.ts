import { elementCount } from "@photinus/core/tensor";
import { copyRows } from "./array-dataset.ts";
import type { BatchArray, Dataset, Feature, Labelling } from "./dataset.ts";

/** All examples of a data set as plain arrays, which a thread hands to another. */
export interface PackedDataset {
  /** Number of examples. */
  readonly count: number;
  /** As the data set has them. */
  readonly features: readonly Feature[];
  /** As the data set has it. */
  readonly labelling: Labelling;
  /** One for each feature, of all examples. */
  readonly values: readonly BatchArray[];
  /** Of all examples. */
  readonly labels: Int32Array | Float32Array;
}

/** Most bytes of a data set that are handed over at once. */
const MAX_PACKED_BYTES = 2 ** 31;

/** Reads all examples. @throws RangeError when they are more than memory should hold twice */
export function packDataset(dataset: Dataset): PackedDataset {
  const { count, features, labelling } = dataset;
  const bytes = features.reduce(
    (sum, { dtype, shape }) => sum + (dtype === "i64" ? 8 : 4) * elementCount(shape),
    0,
  );
  if (count * bytes > MAX_PACKED_BYTES) {
    throw new RangeError(
      `${count} examples of ${bytes} bytes: more than ${MAX_PACKED_BYTES} are not handed to a worker`,
    );
  }
  const values = features.map(({ dtype, shape }) => memoryFor(dtype, count * elementCount(shape)));
  const labelCount = count * elementCount(labelling.shape);
  const labels = labelling.kind === "classes" ? new Int32Array(labelCount) : new Float32Array(labelCount);
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  dataset.read(order, { features: values, labels });
  return { count, features, labelling, values, labels };
}

/** The data set that was packed. */
export function unpackDataset({ count, features, labelling, values, labels }: PackedDataset): Dataset {
  const read: Dataset["read"] = (indices, into) => {
    features.forEach(({ shape }, index) => {
      const [from, to] = [values[index], into.features[index]];
      if (from !== undefined && to !== undefined) {
        copyRows({ values: from, length: elementCount(shape) }, indices, to);
      }
    });
    copyRows({ values: labels, length: elementCount(labelling.shape) }, indices, into.labels);
  };
  return { count, features, labelling, read };
}

/** The memory of a packed data set, all of its own. */
export function memoryOfDataset({ values, labels }: PackedDataset): readonly ArrayBuffer[] {
  return [...values, labels].map(({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer);
}

/** Memory for `count` elements of a type. */
export function memoryFor(dtype: Feature["dtype"], count: number): BatchArray {
  switch (dtype) {
    case "f32":
      return new Float32Array(count);
    case "i32":
      return new Int32Array(count);
    case "i64":
      return new BigInt64Array(count);
    case "bool":
      return new Uint8Array(count);
  }
}
