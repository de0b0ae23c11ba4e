import { TrainingError } from "@photinus/core/errors";
import { type DataSource, type Dataset, type IdxFiles, imageDataset, MNIST_PIXELS } from "@photinus/training";
import type { SiteDataFiles } from "../site-port/index.ts";

/** The data that a person gave the page, under the name of its data set. */
export function siteData(files: SiteDataFiles): DataSource {
  const { trainingImages, trainingLabels, heldOutImages, heldOutLabels } = files;
  return async (dataName) => {
    if (dataName !== files.dataName) {
      throw new TrainingError("ERR_DATA_MISSING", `this page holds ${files.dataName}, not ${dataName}`);
    }
    const training = { images: trainingImages, labels: trainingLabels };
    const hasHeldOut = heldOutImages !== undefined && heldOutLabels !== undefined;
    return {
      training: await datasetOf(training, "training"),
      heldOut: hasHeldOut
        ? await datasetOf({ images: heldOutImages, labels: heldOutLabels }, "held-out")
        : undefined,
    };
  };
}

// All sites scale pixels alike, so the figures are those of the data set, not of one site's part of it.
const datasetOf = (files: IdxFiles, name: string): Promise<Dataset> =>
  imageDataset(files, { ...MNIST_PIXELS, name });
