import type { Bytes } from "@photinus/core/bytes";
import { type BatchBuffers, type Dataset, floatsOf } from "./dataset.ts";
import { gunzip } from "./gunzip.ts";
import { malformed, parseIdx } from "./idx.ts";

/** Images and their labels, as IDX files, packed by gzip or not. */
export interface IdxFiles {
  /** Unsigned bytes [count, rows, columns]. */
  readonly images: Bytes;
  /** Unsigned bytes [count]. */
  readonly labels: Bytes;
}

/** How images become examples. */
export interface ImageOptions {
  /** Labels are 0 to this - 1; at most 256. */
  readonly classCount: number;
  /** Mean of the pixels, in [0, 1]; subtracted. */
  readonly mean: number;
  /** Standard deviation of the pixels; the difference is divided by it. */
  readonly deviation: number;
  /** Positions in the files of the examples that belong to this data set, in order. Default: all. */
  readonly indices?: Uint32Array;
  /** What the files are, for errors: "training". */
  readonly name: string;
}

/** Mean and deviation of the pixels of MNIST's training images. */
export const MNIST_PIXELS: { readonly classCount: 10; readonly mean: number; readonly deviation: number } = {
  classCount: 10,
  mean: 0.1307,
  deviation: 0.3081,
};

/**
 * Greyscale images of one byte per pixel as a data set of examples [1, rows, columns]: (pixel / 255 - mean) / deviation.
 * The pixels stay bytes in memory.
 *
 * @throws TrainingError `ERR_DATA_MALFORMED` when a file is damaged, the counts differ, or a label is no class
 */
export async function imageDataset(files: IdxFiles, options: ImageOptions): Promise<Dataset> {
  const { name, classCount } = options;
  const images = parseIdx(await gunzip(files.images, `${name} images`), `${name} images`);
  const labels = await readLabels(files.labels, options);
  const [count = 0, rows = 0, columns = 0] = images.shape;
  if (images.shape.length !== 3) malformed(name, `images have ${images.shape.length} dimensions, expected 3`);
  if (labels.byteLength !== count) malformed(name, `${count} images, ${labels.byteLength} labels`);
  const indices = options.indices ?? Uint32Array.from({ length: count }, (_, index) => index);
  if (indices.some((index) => index >= count)) malformed(name, `an index lies beyond its ${count} images`);
  const values = pixelValues(options);
  const pixels = rows * columns;
  const read = (wanted: Uint32Array, into: BatchBuffers): void => {
    const examples = floatsOf(into, 0);
    wanted.forEach((position, row) => {
      const index = indices[position] ?? 0;
      into.labels[row] = labels[index] ?? 0;
      const [from, to] = [index * pixels, row * pixels];
      for (let pixel = 0; pixel < pixels; pixel++) {
        examples[to + pixel] = values[images.values[from + pixel] ?? 0] ?? 0;
      }
    });
  };
  return {
    count: indices.length,
    features: [{ name: "image", dtype: "f32", shape: [1, rows, columns] }],
    labelling: { kind: "classes", classCount, shape: [] },
    read,
  };
}

/**
 * The labels of an IDX file.
 * @throws TrainingError `ERR_DATA_MALFORMED` when it is damaged or holds a label that is no class
 */
export async function readLabels(
  file: Bytes,
  { name, classCount }: Pick<ImageOptions, "name" | "classCount">,
): Promise<Bytes> {
  const { shape, values } = parseIdx(await gunzip(file, `${name} labels`), `${name} labels`);
  if (shape.length !== 1) malformed(name, `labels have ${shape.length} dimensions, expected 1`);
  if (values.some((label) => label >= classCount)) malformed(name, `a label is not below ${classCount}`);
  return values;
}

function pixelValues({ mean, deviation }: ImageOptions): Float32Array {
  return Float32Array.from({ length: 256 }, (_, pixel) => (pixel / 255 - mean) / deviation);
}
