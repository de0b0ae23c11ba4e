export { arrayDataset, type FeatureArray, type LabelArray } from "./array-dataset.ts";
export {
  type BatchArray,
  type BatchBuffers,
  type DataSource,
  type Dataset,
  type Feature,
  floatsOf,
  type Labelling,
  type SiteData,
} from "./dataset.ts";
export { gunzip, MAX_UNPACKED_BYTES } from "./gunzip.ts";
export { type IdxArray, parseIdx } from "./idx.ts";
export { type IdxFiles, type ImageOptions, imageDataset, MNIST_PIXELS, readLabels } from "./image-dataset.ts";
export { type NpyArray, parseNpy } from "./npy.ts";
export {
  memoryFor,
  memoryOfDataset,
  type PackedDataset,
  packDataset,
  unpackDataset,
} from "./packed-dataset.ts";
export { type PartitionOptions, partitionByLabel, type SiteIndices } from "./partition.ts";
export { parseCsv, parseJsonLines, type Table } from "./table.ts";
export {
  type NumberColumn,
  type TableDatasetOptions,
  tableDataset,
  type ValueColumn,
} from "./table-dataset.ts";
export { type TextOptions, textDataset } from "./text-dataset.ts";
