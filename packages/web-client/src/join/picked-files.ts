import { type Bytes, toBytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import { gunzip, parseIdx } from "@photinus/training";
import type { SiteDataFiles } from "../site-port/index.ts";

/** A file that somebody picked, as far as it is looked at here. */
export interface PickedFile {
  readonly name: string;
  /** Packed by gzip or not. */
  readonly bytes: Bytes;
}

/** Names of files whose examples are held out for evaluation. */
const HELD_OUT = /t10k|test|valid|held/i;

/** Names as jobs write them. */
const DATA_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

interface IdxFile extends PickedFile {
  readonly count: number;
  readonly isLabels: boolean;
  readonly isHeldOut: boolean;
}

/** Reads what somebody picked into memory. */
export function readFiles(files: readonly File[]): Promise<readonly PickedFile[]> {
  return Promise.all(
    files.map(async (file) => ({ name: file.name, bytes: toBytes(await file.arrayBuffer()) })),
  );
}

/**
 * Sorts picked IDX files into images and labels, for training and held out, by their headers and names.
 *
 * @throws TrainingError `ERR_DATA_MISSING` when images or labels for training are not among them or the name is none,
 *   `ERR_DATA_MALFORMED` when a file is no IDX file or counts differ
 */
export async function sortFiles(dataName: string, files: readonly PickedFile[]): Promise<SiteDataFiles> {
  if (!DATA_NAME.test(dataName)) {
    throw new TrainingError("ERR_DATA_MISSING", "give the data the name that the task asks for, e.g. mnist");
  }
  const sorted = await Promise.all(files.map(readHeader));
  const find = (isLabels: boolean, isHeldOut: boolean): IdxFile | undefined =>
    sorted.find((file) => file.isLabels === isLabels && file.isHeldOut === isHeldOut);
  const training = pair(find(false, false), find(true, false), "training");
  if (training === undefined) {
    throw new TrainingError("ERR_DATA_MISSING", "pick the images and the labels to train on: two IDX files");
  }
  const heldOut = pair(find(false, true), find(true, true), "held-out");
  return {
    dataName,
    trainingImages: training[0].bytes,
    trainingLabels: training[1].bytes,
    ...(heldOut ? { heldOutImages: heldOut[0].bytes, heldOutLabels: heldOut[1].bytes } : {}),
  };
}

async function readHeader({ name, bytes }: PickedFile): Promise<IdxFile> {
  const { shape } = parseIdx(await gunzip(bytes, name), name);
  return { name, bytes, count: shape[0] ?? 0, isLabels: shape.length === 1, isHeldOut: HELD_OUT.test(name) };
}

function pair(
  images: IdxFile | undefined,
  labels: IdxFile | undefined,
  name: string,
): readonly [IdxFile, IdxFile] | undefined {
  if (images === undefined && labels === undefined) return undefined;
  if (images === undefined || labels === undefined) {
    throw new TrainingError(
      "ERR_DATA_MISSING",
      `${name}: images and labels belong together, one was not picked`,
    );
  }
  if (images.count !== labels.count) {
    throw new TrainingError(
      "ERR_DATA_MALFORMED",
      `${name}: ${images.name} has ${images.count} images, ${labels.name} ${labels.count} labels`,
    );
  }
  return [images, labels];
}
