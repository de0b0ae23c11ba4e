import { TrainingError } from "@photinus/core/errors";
import type { TransformDefinition } from "@photinus/core/job";
import { elementCount } from "@photinus/core/tensor";
import type { SeededRandom } from "../../random.ts";
import { copyRows } from "../array-dataset.ts";
import type { BatchArray, BatchBuffers, Dataset, Feature } from "../dataset.ts";
import { memoryFor } from "../packed-dataset.ts";
import { impute, normalize } from "./channels.ts";
import { oneHot } from "./one-hot.ts";
import { crop, flip } from "./picture.ts";
import type { Stage, StageContext } from "./stage.ts";

/**
 * A data set whose examples go through `transforms` as they are read.
 * @param random what crop and flip draw from; absent where they are to leave examples as they are, as for an evaluation
 * @returns `dataset` itself where there are none
 * @throws TrainingError `ERR_MODEL_SHAPE` for a transform that does not fit the data; reading throws `ERR_DATA_MALFORMED` for a class id
 *   that is none
 */
export function transformDataset(
  dataset: Dataset,
  transforms: readonly TransformDefinition[] = [],
  random?: SeededRandom,
): Dataset {
  if (transforms.length === 0) return dataset;
  const stages: Stage[][] = dataset.features.map(() => []);
  for (const transform of transforms) {
    const index = indexOf(dataset.features, transform);
    const own = stages[index] ?? [];
    const feature = own.at(-1)?.feature ?? dataset.features[index];
    if (feature !== undefined) own.push(stageOf(transform, { feature, random }));
  }
  const features = dataset.features.map((feature, index) => stages[index]?.at(-1)?.feature ?? feature);
  const read = (indices: Uint32Array, into: BatchBuffers): void =>
    readThrough(dataset, stages, { indices, into });
  return { count: dataset.count, labelling: dataset.labelling, features, read };
}

function readThrough(
  dataset: Dataset,
  stages: readonly (readonly Stage[])[],
  { indices, into }: { readonly indices: Uint32Array; readonly into: BatchBuffers },
): void {
  const { features } = dataset;
  const raw = features.map(({ dtype, shape }) => memoryFor(dtype, indices.length * elementCount(shape)));
  dataset.read(indices, { features: raw, labels: into.labels });
  raw.forEach((values, index) => {
    const memory = into.features[index];
    if (memory === undefined) return;
    const through = (stages[index] ?? []).reduce<BatchArray>(
      (given, stage) => stage.apply(given, indices.length),
      values,
    );
    copyRows({ values: through, length: through.length }, Uint32Array.of(0), memory);
  });
}

function indexOf(features: readonly Feature[], { name, input }: TransformDefinition): number {
  const index =
    input === undefined && features.length === 1
      ? 0
      : features.findIndex((feature) => feature.name === input);
  if (index >= 0) return index;
  const names = features.map((feature) => feature.name).join(", ");
  throw new TrainingError(
    "ERR_MODEL_SHAPE",
    `${name} is for the input ${input ?? "(none is named)"}, the data has ${names}`,
  );
}

function stageOf(transform: TransformDefinition, context: StageContext): Stage {
  switch (transform.name) {
    case "normalize":
      return normalize(transform, context);
    case "impute":
      return impute(transform, context);
    case "one-hot":
      return oneHot(transform, context);
    case "crop":
      return crop(transform, context);
    case "flip":
      return flip(transform, context);
  }
}
