import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Bytes, toBytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import {
  type DataSource,
  type Dataset,
  type IdxFiles,
  imageDataset,
  MAX_UNPACKED_BYTES,
  partitionByLabel,
  readLabels,
  type SiteIndices,
} from "@photinus/training";
import { type DataDescription, describeData, type IdxFileNames } from "./describe-data.ts";

/** The data that lies in a site's folder, each set described by `<name>.json`. */
export function folderData(folder: string): DataSource {
  return async (dataName) => {
    const description = await describeData(folder, dataName);
    const training = await readFiles(folder, description.training);
    const heldOut = description.heldOut && (await readFiles(folder, description.heldOut));
    const indices = await shardOf(description, { training, heldOut });
    return {
      training: await datasetOf(training, { description, name: "training", indices: indices?.training }),
      heldOut:
        heldOut && (await datasetOf(heldOut, { description, name: "held-out", indices: indices?.heldOut })),
    };
  };
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
  { shard, classes: classCount }: DataDescription,
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
  readonly description: DataDescription;
  readonly name: string;
  readonly indices: Uint32Array | undefined;
}

function datasetOf(files: IdxFiles, { description, name, indices }: DatasetOptions): Promise<Dataset> {
  const { classes: classCount, mean, deviation } = description;
  const options = { name, classCount, mean, deviation };
  return imageDataset(files, indices === undefined ? options : { ...options, indices });
}
