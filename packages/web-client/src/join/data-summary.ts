import type { Bytes } from "@photinus/core/bytes";
import { gunzip, parseIdx } from "@photinus/training";
import type { SiteDataFiles } from "../site-port/index.ts";

/** One example, to be looked at. */
export interface ExamplePicture {
  readonly label: number;
  readonly rows: number;
  readonly columns: number;
  /** Grey levels, row by row. */
  readonly pixels: Bytes;
}

/** What a person sees of the data before it is used. */
export interface DataSummary {
  readonly dataName: string;
  readonly trainingExamples: number;
  readonly heldOutExamples: number;
  /** How often each label occurs among the training examples. */
  readonly labelCounts: readonly number[];
  readonly pictures: readonly ExamplePicture[];
}

const PICTURES = 12;

/**
 * Looks at data that is about to be used.
 *
 * @throws TrainingError `ERR_DATA_MALFORMED` when a file is damaged or counts differ
 */
export async function summarizeData(files: SiteDataFiles): Promise<DataSummary> {
  const images = parseIdx(await gunzip(files.trainingImages, "training images"), "training images");
  const labels = parseIdx(await gunzip(files.trainingLabels, "training labels"), "training labels");
  const heldOut =
    files.heldOutLabels && parseIdx(await gunzip(files.heldOutLabels, "held-out labels"), "held-out labels");
  const [count = 0, rows = 0, columns = 0] = images.shape;
  const pixels = rows * columns;
  return {
    dataName: files.dataName,
    trainingExamples: count,
    heldOutExamples: heldOut?.shape[0] ?? 0,
    labelCounts: countLabels(labels.values),
    pictures: Array.from({ length: Math.min(PICTURES, count) }, (_, index) => ({
      label: labels.values[index] ?? 0,
      rows,
      columns,
      pixels: images.values.slice(index * pixels, (index + 1) * pixels),
    })),
  };
}

function countLabels(labels: Bytes): readonly number[] {
  const counts: number[] = [];
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return Array.from(counts, (count) => count ?? 0);
}
