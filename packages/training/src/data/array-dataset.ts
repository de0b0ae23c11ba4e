import { elementCount } from "@photinus/core/tensor";
import type { BatchArray, BatchBuffers, Dataset, Feature } from "./dataset.ts";
import { malformed } from "./idx.ts";

/** A feature of all examples, one behind the other. */
export interface FeatureArray {
  /** The input of the model that it feeds. */
  readonly name: string;
  /** Shape of one example's part; [] for a single number. */
  readonly shape: readonly number[];
  /** f32, i32, i64 or bool, as the model takes it; kept, not copied. */
  readonly values: BatchArray;
  /** True where NaN stands for a number that is missing. Default: false. */
  readonly mayMiss?: boolean;
}

/** The right answers of all examples. */
export interface LabelArray {
  /** Class ids in int32, or numbers in float32; kept, not copied. */
  readonly values: Int32Array | Float32Array;
  /** Shape of one example's label. Default: [], a single one. */
  readonly shape?: readonly number[];
  /** Class ids are 0 to this - 1; to be given for those, and only for those. */
  readonly classCount?: number;
  /** The class id of what does not count. */
  readonly ignoredLabel?: number;
}

/**
 * A data set over arrays in memory.
 * @param name for errors
 * @throws TrainingError `ERR_DATA_MALFORMED` when lengths do not agree, a number is not finite, or a label is no class
 */
export function arrayDataset(
  name: string,
  { features, labels }: { readonly features: readonly FeatureArray[]; readonly labels: LabelArray },
): Dataset {
  const { values, shape = [], classCount } = labels;
  const labelLength = elementCount(shape);
  const count = values.length / labelLength;
  if (!Number.isSafeInteger(count)) malformed(name, `${values.length} labels of shape [${shape}]`);
  for (const feature of features) requireFeature(name, feature, count);
  requireLabels(name, labels);
  const rows = features.map((feature) => ({ values: feature.values, length: elementCount(feature.shape) }));
  const read = (indices: Uint32Array, into: BatchBuffers): void => {
    rows.forEach((row, index) => {
      const memory = into.features[index];
      if (memory !== undefined) copyRows(row, indices, memory);
    });
    copyRows({ values, length: labelLength }, indices, into.labels);
  };
  return {
    count,
    features: features.map((feature) => ({
      name: feature.name,
      dtype: dtypeOf(feature.values),
      shape: feature.shape,
      ...(feature.mayMiss === true ? { mayMiss: true } : {}),
    })),
    labelling: classCount === undefined ? { kind: "numbers", shape } : { kind: "classes", classCount, shape },
    read,
  };
}

/** Copies rows of `length` elements into `memory`, one behind the other. */
export function copyRows(
  { values, length }: { readonly values: BatchArray; readonly length: number },
  indices: Uint32Array,
  memory: BatchArray,
): void {
  indices.forEach((index, row) => {
    const part = values.subarray(index * length, (index + 1) * length);
    if (part instanceof BigInt64Array) {
      if (memory instanceof BigInt64Array) memory.set(part, row * length);
    } else if (!(memory instanceof BigInt64Array)) {
      memory.set(part, row * length);
    }
  });
}

function dtypeOf(values: BatchArray): Feature["dtype"] {
  if (values instanceof Float32Array) return "f32";
  if (values instanceof Int32Array) return "i32";
  return values instanceof BigInt64Array ? "i64" : "bool";
}

function requireFeature(name: string, array: FeatureArray, count: number): void {
  const { name: feature, shape, values, mayMiss = false } = array;
  const expected = count * elementCount(shape);
  if (values.length !== expected) {
    malformed(name, `${values.length} elements of ${feature}, expected ${expected} for ${count} examples`);
  }
  if (values instanceof Float32Array)
    requireFinite(name, feature, mayMiss ? values.map((value) => (Number.isNaN(value) ? 0 : value)) : values);
}

function requireFinite(name: string, what: string, values: Float32Array): void {
  const odd = values.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0) malformed(name, `element ${odd} of ${what} is ${values[odd]}`);
}

function requireLabels(name: string, { values, classCount, ignoredLabel }: LabelArray): void {
  if (values instanceof Float32Array) {
    if (classCount !== undefined) malformed(name, "class ids must be int32");
    requireFinite(name, "the labels", values);
    return;
  }
  if (classCount === undefined) malformed(name, "class ids need the number of classes");
  const odd = values.findIndex((label) => label !== ignoredLabel && (label < 0 || label >= classCount));
  if (odd >= 0) malformed(name, `label ${odd} is ${values[odd]}, expected 0 to ${classCount - 1}`);
}
