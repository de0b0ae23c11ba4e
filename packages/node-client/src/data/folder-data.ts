import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Bytes, toBytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import {
  arrayDataset,
  type DataSource,
  type Dataset,
  type FeatureArray,
  gunzip,
  type IdxFiles,
  imageDataset,
  type LabelArray,
  MAX_UNPACKED_BYTES,
  parseCsv,
  parseJsonLines,
  parseNpy,
  partitionByLabel,
  readLabels,
  type SiteData,
  type SiteIndices,
  tableDataset,
  textDataset,
} from "@photinus/training";
import {
  type ArrayFileNames,
  type ArraysDescription,
  describeData,
  type IdxFileNames,
  type ImagesDescription,
  type TableDescription,
  type TextDescription,
} from "./describe-data.ts";

/** The data that lies in a site's folder, each set described by `<name>.json`. */
export function folderData(folder: string): DataSource {
  return async (dataName) => {
    const description = await describeData(folder, dataName);
    switch (description.format) {
      case "idx-images":
        return imagesOf(folder, description);
      case "csv":
      case "json-lines":
        return tablesOf(folder, description);
      case "npy":
        return arraysOf(folder, description);
      case "text":
        return textsOf(folder, description);
    }
  };
}

async function imagesOf(folder: string, description: ImagesDescription): Promise<SiteData> {
  const training = await readFiles(folder, description.training);
  const heldOut = description.heldOut && (await readFiles(folder, description.heldOut));
  const indices = await shardOf(description, { training, heldOut });
  return {
    training: await datasetOf(training, { description, name: "training", indices: indices?.training }),
    heldOut:
      heldOut && (await datasetOf(heldOut, { description, name: "held-out", indices: indices?.heldOut })),
  };
}

async function tablesOf(folder: string, description: TableDescription): Promise<SiteData> {
  const { format, training, heldOut, features, label } = description;
  const parse = format === "csv" ? parseCsv : parseJsonLines;
  const load = async (file: string): Promise<Dataset> =>
    tableDataset(parse(await unpacked(folder, file), file), { name: file, features, label });
  return { training: await load(training), heldOut: heldOut === undefined ? undefined : await load(heldOut) };
}

async function arraysOf(folder: string, description: ArraysDescription): Promise<SiteData> {
  const { training, heldOut } = description;
  const load = async ({ features, labels }: ArrayFileNames): Promise<Dataset> => {
    const arrays: FeatureArray[] = [];
    for (const [name, file] of Object.entries(features)) {
      const { shape, values } = parseNpy(await unpacked(folder, file), file);
      arrays.push({ name, shape: shape.slice(1), values });
    }
    return arrayDataset(labels, { features: arrays, labels: await labelsOf(folder, labels, description) });
  };
  return { training: await load(training), heldOut: heldOut && (await load(heldOut)) };
}

async function textsOf(folder: string, description: TextDescription): Promise<SiteData> {
  const { training, heldOut, ...options } = description;
  const load = async (file: string): Promise<Dataset> =>
    textDataset(await unpacked(folder, file), { ...options, name: file });
  return { training: await load(training), heldOut: heldOut === undefined ? undefined : await load(heldOut) };
}

async function labelsOf(
  folder: string,
  file: string,
  { classes, ignoredLabel }: ArraysDescription,
): Promise<LabelArray> {
  const { shape, values } = parseNpy(await unpacked(folder, file), file);
  const own = { shape: shape.slice(1), ...(ignoredLabel === undefined ? {} : { ignoredLabel }) };
  const numbers = Array.from<number | bigint, number>(values, Number);
  if (classes === undefined) return { ...own, values: Float32Array.from(numbers) };
  // What int32 does not hold is no class either: it must not become one by being cut off.
  if (numbers.some((number) => !Number.isInteger(number) || Math.abs(number) >= 2 ** 31)) {
    throw new TrainingError("ERR_DATA_MALFORMED", `${file}: class ids must be whole numbers below 2^31`);
  }
  return { ...own, values: Int32Array.from(numbers), classCount: classes };
}

async function unpacked(folder: string, file: string): Promise<Bytes> {
  return gunzip(await readData(resolve(folder, file)), file);
}

async function readFiles(folder: string, { images, labels }: IdxFileNames): Promise<IdxFiles> {
  return { images: await readData(resolve(folder, images)), labels: await readData(resolve(folder, labels)) };
}

async function readData(path: string): Promise<Bytes> {
  try {
    const { size } = await stat(path);
    if (size > MAX_UNPACKED_BYTES) throw new TrainingError("ERR_DATA_MALFORMED", `${path} has ${size} bytes`);
    return toBytes(await readFile(path));
  } catch (cause) {
    if (cause instanceof TrainingError) throw cause;
    throw new TrainingError("ERR_DATA_MISSING", `${path} cannot be read`, { cause });
  }
}

interface Files {
  readonly training: IdxFiles;
  readonly heldOut: IdxFiles | undefined;
}

async function shardOf(
  { shard, classes: classCount }: ImagesDescription,
  { training, heldOut }: Files,
): Promise<SiteIndices | undefined> {
  if (shard === undefined) return undefined;
  const labels = {
    training: await readLabels(training.labels, { name: "training", classCount }),
    heldOut: heldOut ? await readLabels(heldOut.labels, { name: "held-out", classCount }) : new Uint8Array(0),
  };
  const { of: sites, site, ...options } = shard;
  try {
    return partitionByLabel(labels, { sites, ...options })[site];
  } catch (cause) {
    throw new TrainingError("ERR_DATA_MALFORMED", "the shard cannot be drawn as described", { cause });
  }
}

interface DatasetOptions {
  readonly description: ImagesDescription;
  readonly name: string;
  readonly indices: Uint32Array | undefined;
}

function datasetOf(files: IdxFiles, { description, name, indices }: DatasetOptions): Promise<Dataset> {
  const { classes: classCount, mean, deviation } = description;
  const options = { name, classCount, mean, deviation };
  return imageDataset(files, indices === undefined ? options : { ...options, indices });
}
