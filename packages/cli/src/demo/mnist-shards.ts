import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, concatBytes, toBytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import { gunzip, type IdxArray, parseIdx, partitionByLabel } from "@photinus/training";

/** Names of the four files of MNIST. */
export const MNIST_FILES = {
  trainingImages: "train-images-idx3-ubyte",
  trainingLabels: "train-labels-idx1-ubyte",
  heldOutImages: "t10k-images-idx3-ubyte",
  heldOutLabels: "t10k-labels-idx1-ubyte",
} as const;

/** Images with their labels. */
interface Labelled {
  readonly images: IdxArray;
  readonly labels: IdxArray;
}

/** MNIST in memory. */
export interface Mnist {
  readonly training: Labelled;
  readonly heldOut: Labelled;
}

/** How the demo divides the images. */
export interface ShardOptions {
  readonly sites: number;
  /** Unsigned 32-bit seed of the division. */
  readonly seed: number;
}

/** Dirichlet concentration of the demo: sites see quite different digits. */
const CONCENTRATION = 0.5;
/** Fewest training images of a site, where there are enough for all. */
const MINIMUM_EXAMPLES = 500;
/** Images of the shard that a page may take, training and held out. */
const PAGE_SHARD = { training: 1_000, heldOut: 200 } as const;

async function readArray(folder: string, name: string): Promise<IdxArray> {
  for (const file of [`${name}.gz`, name]) {
    const bytes = await readFile(join(folder, file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw new TrainingError("ERR_DATA_MISSING", `cannot read ${file} in ${folder}`, { cause: error });
    });
    if (bytes !== undefined) return parseIdx(await gunzip(toBytes(bytes), file), file);
  }
  throw new TrainingError("ERR_DATA_MISSING", `${name} is not in ${folder}`);
}

/** @throws TrainingError `ERR_DATA_MISSING`, `ERR_DATA_MALFORMED` */
export async function readMnist(folder: string): Promise<Mnist> {
  const read = (name: string): Promise<IdxArray> => readArray(folder, name);
  return {
    training: {
      images: await read(MNIST_FILES.trainingImages),
      labels: await read(MNIST_FILES.trainingLabels),
    },
    heldOut: {
      images: await read(MNIST_FILES.heldOutImages),
      labels: await read(MNIST_FILES.heldOutLabels),
    },
  };
}

/** An IDX file of the items at `indices`. */
export function idxFileOf({ shape, values }: IdxArray, indices: Uint32Array): Bytes {
  const [, ...rest] = shape;
  const itemBytes = rest.reduce((product, size) => product * size, 1);
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint8(2, 0x08);
  header.setUint8(3, shape.length);
  [indices.length, ...rest].forEach((size, axis) => {
    header.setUint32(4 + 4 * axis, size);
  });
  const items = Array.from(indices, (index) => values.subarray(index * itemBytes, (index + 1) * itemBytes));
  return concatBytes(new Uint8Array(header.buffer), ...items);
}

async function writeShard(
  folder: string,
  { training, heldOut }: Mnist,
  indices: { readonly training: Uint32Array; readonly heldOut: Uint32Array },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const write = (name: string, array: IdxArray, at: Uint32Array): Promise<void> =>
    writeFile(join(folder, name), idxFileOf(array, at));
  await write(MNIST_FILES.trainingImages, training.images, indices.training);
  await write(MNIST_FILES.trainingLabels, training.labels, indices.training);
  await write(MNIST_FILES.heldOutImages, heldOut.images, indices.heldOut);
  await write(MNIST_FILES.heldOutLabels, heldOut.labels, indices.heldOut);
}

/**
 * Divides the images among sites and writes a data folder for each.
 * @param folderOf folder of the site with this index, from 0
 */
export async function writeSiteShards(
  mnist: Mnist,
  { sites, seed }: ShardOptions,
  folderOf: (index: number) => string,
): Promise<void> {
  const examples = mnist.training.labels.values.byteLength;
  const shards = partitionByLabel(
    { training: mnist.training.labels.values, heldOut: mnist.heldOut.labels.values },
    {
      sites,
      seed,
      concentration: CONCENTRATION,
      minimumExamples: Math.min(MINIMUM_EXAMPLES, Math.floor(examples / sites / 4)),
    },
  );
  for (const [index, shard] of shards.entries()) await writeShard(folderOf(index), mnist, shard);
}

/**
 * Writes the data that a page may take as its own: the first images. The sites have them too, so what a page adds
 * in the demo is computing, not knowledge.
 */
export async function writePageShard(mnist: Mnist, folder: string): Promise<void> {
  const first = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, index) => index);
  await writeShard(folder, mnist, {
    training: first(Math.min(PAGE_SHARD.training, mnist.training.labels.values.byteLength)),
    heldOut: first(Math.min(PAGE_SHARD.heldOut, mnist.heldOut.labels.values.byteLength)),
  });
}
