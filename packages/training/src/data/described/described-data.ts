import type { Bytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import { arrayDataset, type FeatureArray, type LabelArray } from "../array-dataset.ts";
import { bpeTokenizer } from "../bpe.ts";
import { type ByteSource, memorySource } from "../byte-source.ts";
import type { Dataset, SiteData } from "../dataset.ts";
import { gunzip, MAX_UNPACKED_BYTES } from "../gunzip.ts";
import { malformed } from "../idx.ts";
import { type IdxFiles, imageDataset, readLabels } from "../image-dataset.ts";
import { type NpyArray, openNpy, parseNpy } from "../npy.ts";
import { parseNpz } from "../npz.ts";
import { partitionByLabel, type SiteIndices } from "../partition.ts";
import { type PictureFile, pictureDataset } from "../picture-dataset.ts";
import { rowDataset } from "../row-dataset.ts";
import { parseCsv, parseJsonLines } from "../table.ts";
import { tableDataset } from "../table-dataset.ts";
import { textDataset, tokenDataset } from "../text-dataset.ts";
import type {
  ArchiveDescription,
  ArrayFileNames,
  ArrayOptions,
  ArraysDescription,
  DataDescription,
  IdxFileNames,
  ImagesDescription,
  PictureFolderDescription,
  TableDescription,
  TextDescription,
} from "./data-description.ts";

/** Files that a description names: of a folder, or of those that a person picked. */
export interface DataFiles {
  /** A file of any size, of which pieces are read. @throws TrainingError `ERR_DATA_MISSING` */
  open(file: string): Promise<ByteSource>;
  /** Names of the files in a folder, sorted. @throws TrainingError `ERR_DATA_MISSING` */
  list(folder: string): Promise<readonly string[]>;
}

/** Up to this size a file is read into memory: rows of it are then read faster. */
const MAX_KEPT_BYTES = 2 ** 28;

/**
 * The data that a description tells of.
 * @throws TrainingError `ERR_DATA_MISSING` for a file that is not there, `ERR_DATA_MALFORMED` for one that is damaged or does not fit
 */
export async function describedData(description: DataDescription, files: DataFiles): Promise<SiteData> {
  switch (description.format) {
    case "idx-images":
      return imagesOf(files, description);
    case "csv":
    case "json-lines":
      return tablesOf(files, description);
    case "npy":
      return arraysOf(files, description);
    case "npz":
      return archivesOf(files, description);
    case "image-folder":
      return picturesOf(files, description);
    case "text":
      return textsOf(files, description);
  }
}
async function imagesOf(files: DataFiles, description: ImagesDescription): Promise<SiteData> {
  const training = await readFiles(files, description.training);
  const heldOut = description.heldOut && (await readFiles(files, description.heldOut));
  const indices = await shardOf(description, { training, heldOut });
  return {
    training: await datasetOf(training, { description, name: "training", indices: indices?.training }),
    heldOut:
      heldOut && (await datasetOf(heldOut, { description, name: "held-out", indices: indices?.heldOut })),
  };
}

async function tablesOf(files: DataFiles, description: TableDescription): Promise<SiteData> {
  const { format, training, heldOut, features, label } = description;
  const parse = format === "csv" ? parseCsv : parseJsonLines;
  const load = async (file: string): Promise<Dataset> =>
    tableDataset(parse(await unpacked(files, file), file), { name: file, features, label });
  return { training: await load(training), heldOut: heldOut === undefined ? undefined : await load(heldOut) };
}

async function arraysOf(files: DataFiles, description: ArraysDescription): Promise<SiteData> {
  const { training, heldOut } = description;
  const load = async (names: ArrayFileNames): Promise<Dataset> => {
    const sources = new Map<string, ByteSource>();
    for (const file of new Set([...Object.values(names.features), names.labels])) {
      sources.set(file, await unpackedSource(files, file));
    }
    const isLarge = [...sources.values()].some(({ byteLength }) => byteLength > MAX_KEPT_BYTES);
    return isLarge ? rowsOf(sources, names, description) : inMemory(sources, names, description);
  };
  return { training: await load(training), heldOut: heldOut && (await load(heldOut)) };
}

/** Larger than what is kept: rows are read when a step needs them. */
function rowsOf(
  sources: ReadonlyMap<string, ByteSource>,
  names: ArrayFileNames,
  options: ArrayOptions,
): Dataset {
  const rows = (file: string): ReturnType<typeof openNpy> => openNpy(sourceOf(sources, file), file);
  const features = Object.entries(names.features).map(([name, file]) => [name, rows(file)] as const);
  const { classes: classCount, ignoredLabel, mayMiss } = options;
  return rowDataset({
    ...{ name: names.labels, features: new Map(features), labels: rows(names.labels) },
    ...{ classCount, ignoredLabel, mayMiss },
  });
}

function inMemory(
  sources: ReadonlyMap<string, ByteSource>,
  names: ArrayFileNames,
  options: ArrayOptions,
): Dataset {
  const arrays = new Map([...sources].map(([file, source]) => [file, parseNpy(wholeOf(source), file)]));
  return datasetOfArrays(arrays, names, options);
}

async function archivesOf(files: DataFiles, description: ArchiveDescription): Promise<SiteData> {
  const { training, heldOut } = description;
  const load = async (file: string): Promise<Dataset> => {
    const arrays = await parseNpz(await wholeFile(files, file), file);
    return datasetOfArrays(arrays, description, description);
  };
  return { training: await load(training), heldOut: heldOut === undefined ? undefined : await load(heldOut) };
}

function datasetOfArrays(
  arrays: ReadonlyMap<string, NpyArray>,
  { features, labels }: ArrayFileNames,
  options: ArrayOptions,
): Dataset {
  const arrayOf = (name: string): NpyArray =>
    arrays.get(name) ?? malformed(labels, `there is no array ${name}`);
  const rows: readonly FeatureArray[] = Object.entries(features).map(([name, file]) => {
    const { shape, values } = arrayOf(file);
    return { name, shape: shape.slice(1), values, mayMiss: options.mayMiss?.includes(name) ?? false };
  });
  return arrayDataset(labels, { features: rows, labels: labelsOf(arrayOf(labels), labels, options) });
}

async function picturesOf(files: DataFiles, description: PictureFolderDescription): Promise<SiteData> {
  const { training, heldOut, classes, width, height, channels } = description;
  const load = async (folder: string): Promise<Dataset> => {
    const pictures: PictureFile[] = [];
    for (const [label, className] of classes.entries()) {
      const inside = `${folder}/${className}`;
      for (const file of await files.list(inside)) {
        const name = `${inside}/${file}`;
        pictures.push({ name, label, read: () => wholeFile(files, name) });
      }
    }
    return pictureDataset(pictures, { name: folder, classCount: classes.length, width, height, channels });
  };
  return { training: await load(training), heldOut: heldOut === undefined ? undefined : await load(heldOut) };
}

async function textsOf(files: DataFiles, description: TextDescription): Promise<SiteData> {
  const { training, heldOut, tokenizer, format: _, ...options } = description;
  const encode = tokenizer === "bytes" ? undefined : await tokenizerOf(files, tokenizer);
  const load = async (file: string): Promise<Dataset> => {
    const source = await unpackedSource(files, file);
    return encode === undefined
      ? textDataset(source.byteLength > MAX_KEPT_BYTES ? source : wholeOf(source), { ...options, name: file })
      : tokenDataset(encode(wholeOf(source), file), { ...options, name: file });
  };
  return { training: await load(training), heldOut: heldOut === undefined ? undefined : await load(heldOut) };
}

async function tokenizerOf(
  files: DataFiles,
  names: Exclude<TextDescription["tokenizer"], "bytes">,
): Promise<(text: Bytes, name: string) => Parameters<typeof tokenDataset>[0]> {
  const [vocabulary, merges] = [await unpacked(files, names.vocabulary), await unpacked(files, names.merges)];
  const tokenizer = bpeTokenizer({ vocabulary, merges });
  return (text, name) => ({ tokens: tokenizer.encode(text, name), tokenCount: tokenizer.tokenCount });
}

function labelsOf(
  { shape, values }: NpyArray,
  name: string,
  { classes, ignoredLabel }: ArrayOptions,
): LabelArray {
  const own = { shape: shape.slice(1), ...(ignoredLabel === undefined ? {} : { ignoredLabel }) };
  const numbers = Array.from<number | bigint, number>(values, Number);
  if (classes === undefined) return { ...own, values: Float32Array.from(numbers) };
  // What int32 does not hold is no class either: it must not become one by being cut off.
  if (numbers.some((number) => !Number.isInteger(number) || Math.abs(number) >= 2 ** 31)) {
    malformed(name, "class ids must be whole numbers below 2^31");
  }
  return { ...own, values: Int32Array.from(numbers), classCount: classes };
}

const sourceOf = (sources: ReadonlyMap<string, ByteSource>, file: string): ByteSource =>
  sources.get(file) ?? malformed(file, "it was not opened");

async function unpacked(files: DataFiles, file: string): Promise<Bytes> {
  return gunzip(await wholeFile(files, file), file);
}

/** What is packed is unpacked into memory; anything else stays where it is. */
async function unpackedSource(files: DataFiles, file: string): Promise<ByteSource> {
  const source = await files.open(file);
  const first = new Uint8Array(Math.min(2, source.byteLength));
  source.read(0, first);
  const isGzip = first[0] === 0x1f && first[1] === 0x8b;
  return isGzip ? memorySource(await gunzip(limited(source, file), file)) : source;
}

async function wholeFile(files: DataFiles, file: string): Promise<Bytes> {
  return limited(await files.open(file), file);
}

function limited(source: ByteSource, file: string): Bytes {
  if (source.byteLength > MAX_UNPACKED_BYTES)
    malformed(file, `${source.byteLength} bytes, at most ${MAX_UNPACKED_BYTES}`);
  return wholeOf(source);
}

function wholeOf(source: ByteSource): Bytes {
  const bytes = new Uint8Array(source.byteLength);
  source.read(0, bytes);
  return bytes;
}

async function readFiles(files: DataFiles, { images, labels }: IdxFileNames): Promise<IdxFiles> {
  return { images: await wholeFile(files, images), labels: await wholeFile(files, labels) };
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
