import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, concatBytes, toBytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";

import { type DataDescription, gunzip, type IdxArray, MNIST_PIXELS, parseIdx } from "@photinus/training";

/** Name of the data set in the demo's job. */
export const DATA_NAME = "mnist";

/** The four files of MNIST, as the demo's folder holds them. */
export const MNIST_FILES = {
  trainingImages: "train-images-idx3-ubyte.gz",
  trainingLabels: "train-labels-idx1-ubyte.gz",
  heldOutImages: "t10k-images-idx3-ubyte.gz",
  heldOutLabels: "t10k-labels-idx1-ubyte.gz",
} as const;

/** Images in MNIST's part that comes with Photinus. */
const EXAMPLES = 10_000;
/** Dirichlet concentration of the demo: sites see quite different digits. */
const CONCENTRATION = 0.5;
/** Fewest training images of a site, where there are enough for all. */
const MINIMUM_EXAMPLES = 500;
/** Images of the shard that a page may take, training and held out. */
const PAGE_SHARD = { training: 1_000, heldOut: 200 } as const;

/** Which part of the images a site gets. */
export interface SiteShare {
  /** Position of the site, from 0. */
  readonly site: number;
  readonly sites: number;
  /** Unsigned 32-bit seed of the division. */
  readonly seed: number;
}

/** Writes a site's data folder: a description that points into the folder of the images and names the site's share. */
export async function writeSiteData(folder: string, images: string, share: SiteShare): Promise<void> {
  const { classCount: classes, mean, deviation } = MNIST_PIXELS;
  const description: DataDescription = {
    format: "idx-images",
    ...{ classes, mean, deviation },
    training: {
      images: join(images, MNIST_FILES.trainingImages),
      labels: join(images, MNIST_FILES.trainingLabels),
    },
    heldOut: {
      images: join(images, MNIST_FILES.heldOutImages),
      labels: join(images, MNIST_FILES.heldOutLabels),
    },
    shard: {
      site: share.site,
      of: share.sites,
      seed: share.seed,
      concentration: CONCENTRATION,
      minimumExamples: Math.min(MINIMUM_EXAMPLES, Math.floor(EXAMPLES / share.sites / 4)),
    },
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${DATA_NAME}.json`), JSON.stringify(description, undefined, 2));
}

async function readArray(folder: string, name: string): Promise<IdxArray> {
  const bytes = await readFile(join(folder, name)).catch((cause: unknown) => {
    throw new TrainingError("ERR_DATA_MISSING", `${name} is not in ${folder}`, { cause });
  });
  return parseIdx(await gunzip(toBytes(bytes), name), name);
}

/** An IDX file of the first `count` items. */
function firstOf({ shape, values }: IdxArray, count: number): Bytes {
  const [available = 0, ...rest] = shape;
  const kept = Math.min(count, available);
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint8(2, 0x08); // unsigned bytes
  header.setUint8(3, shape.length);
  [kept, ...rest].forEach((size, axis) => {
    header.setUint32(4 + 4 * axis, size);
  });
  const itemBytes = rest.reduce((product, size) => product * size, 1);
  return concatBytes(new Uint8Array(header.buffer), values.subarray(0, kept * itemBytes));
}

/**
 * Writes the data that a page may take as its own, with the manifest that pages look for: the first images. The sites
 * have them too, so what a page adds in the demo is computing, not knowledge.
 *
 * @throws TrainingError `ERR_DATA_MISSING`, `ERR_DATA_MALFORMED`
 */
export async function writePageShard(folder: string, images: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const copy = async (from: string, count: number): Promise<string> => {
    const name = from.replace(/\.gz$/, "");
    await writeFile(join(folder, name), firstOf(await readArray(images, from), count));
    return name;
  };
  const manifest = {
    dataName: DATA_NAME,
    title: "MNIST, handwritten digits",
    source: "Yann LeCun, Corinna Cortes, Christopher J. C. Burges: the MNIST database of handwritten digits",
    licence: "CC BY-SA 3.0",
    files: {
      trainingImages: await copy(MNIST_FILES.trainingImages, PAGE_SHARD.training),
      trainingLabels: await copy(MNIST_FILES.trainingLabels, PAGE_SHARD.training),
      heldOutImages: await copy(MNIST_FILES.heldOutImages, PAGE_SHARD.heldOut),
      heldOutLabels: await copy(MNIST_FILES.heldOutLabels, PAGE_SHARD.heldOut),
    },
  };
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest, undefined, 2));
}
