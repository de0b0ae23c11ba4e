import { elementCount } from "@photinus/core/tensor";
import type { BatchArray, BatchBuffers, Dataset } from "./dataset.ts";
import { malformed } from "./idx.ts";
import type { NpyRows } from "./npy.ts";

/** What the arrays of a {@link rowDataset} are. */
export interface RowDatasetOptions {
  /** What the data is, for errors. */
  readonly name: string;
  /** Arrays by inputs of the model; the first dimension of each is the examples. */
  readonly features: ReadonlyMap<string, NpyRows>;
  /** Class ids, or numbers. */
  readonly labels: NpyRows;
  /** Number of classes; absent where labels are numbers. */
  readonly classCount?: number | undefined;
  /** The class id of what does not count. */
  readonly ignoredLabel?: number | undefined;
  /** Features where NaN stands for a number that is missing. Default: none. */
  readonly mayMiss?: readonly string[] | undefined;
}

/**
 * Examples that are read row by row when a step needs them: only what a batch holds is in memory. What the rows hold is looked at
 * when they are read.
 * @throws TrainingError `ERR_DATA_MALFORMED` when arrays are not of the same length; reading throws it for a number that is not finite, and
 *   for a label that is no class
 */
export function rowDataset(options: RowDatasetOptions): Dataset {
  const { name, features, labels, classCount, mayMiss = [] } = options;
  const [count = 0, ...shape] = labels.shape;
  for (const [feature, { shape: sizes }] of features) {
    if (sizes[0] !== count) malformed(name, `${sizes[0]} examples of ${feature}, ${count} labels`);
  }
  const arrays = [...features].map(([feature, rows]) => ({
    feature,
    rows,
    isWhole: !mayMiss.includes(feature),
  }));
  const read = (indices: Uint32Array, into: BatchBuffers): void => {
    arrays.forEach(({ feature, rows, isWhole }, position) => {
      const memory = into.features[position];
      indices.forEach((index, row) => {
        const values = rows.row(index);
        if (isWhole) requireFinite(values, `${name}: ${feature} of example ${index}`);
        if (memory !== undefined) place(values, memory, row);
      });
    });
    indices.forEach((index, row) => {
      readLabels(options, { index, row }, into.labels);
    });
  };
  return {
    count,
    features: arrays.map(({ feature, rows, isWhole }) => ({
      ...{ name: feature, dtype: rows.dtype, shape: rows.shape.slice(1) },
      ...(isWhole ? {} : { mayMiss: true }),
    })),
    labelling: classCount === undefined ? { kind: "numbers", shape } : { kind: "classes", classCount, shape },
    read,
  };
}

function place(values: BatchArray, memory: BatchArray, row: number): void {
  if (values instanceof BigInt64Array) {
    if (memory instanceof BigInt64Array) memory.set(values, row * values.length);
  } else if (!(memory instanceof BigInt64Array)) memory.set(values, row * values.length);
}

function requireFinite(values: BatchArray, where: string): void {
  if (!(values instanceof Float32Array)) return;
  const odd = values.find((value) => !Number.isFinite(value));
  if (odd !== undefined) malformed(where, `a number is ${odd}`);
}

function readLabels(
  { name, labels, classCount, ignoredLabel }: RowDatasetOptions,
  { index, row }: { readonly index: number; readonly row: number },
  into: Int32Array | Float32Array,
): void {
  const length = elementCount(labels.shape.slice(1));
  labels.row(index).forEach((value: number | bigint, position: number) => {
    const label = Number(value);
    const isClass = classCount === undefined || (Number.isInteger(label) && label >= 0 && label < classCount);
    if (!Number.isFinite(label) || !(isClass || label === ignoredLabel)) {
      const expected = classCount === undefined ? "a number" : `a class from 0 to ${classCount - 1}`;
      malformed(name, `the label of example ${index} is ${label}, expected ${expected}`);
    }
    into[row * length + position] = label;
  });
}
