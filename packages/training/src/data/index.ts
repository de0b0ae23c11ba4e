export { arrayDataset, type FeatureArray, type LabelArray } from "./array-dataset.ts";
export { type BpeFiles, bpeTokenizer, type Tokenizer } from "./bpe.ts";
export { type ByteSource, memorySource } from "./byte-source.ts";
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
export {
  type ArchiveDescription,
  type ArrayFileNames,
  type ArrayOptions,
  type ArraysDescription,
  type DataDescription,
  type DataFiles,
  describedData,
  type IdxFileNames,
  type ImagesDescription,
  type PictureFolderDescription,
  parseDataDescription,
  type ShardDescription,
  type TableDescription,
  type TextDescription,
} from "./described/index.ts";
export { gunzip, MAX_UNPACKED_BYTES } from "./gunzip.ts";
export { type IdxArray, parseIdx } from "./idx.ts";
export { type IdxFiles, type ImageOptions, imageDataset, MNIST_PIXELS, readLabels } from "./image-dataset.ts";
export { type NpyArray, type NpyRows, openNpy, parseNpy } from "./npy.ts";
export { parseNpz } from "./npz.ts";
export {
  memoryFor,
  memoryOfDataset,
  type PackedDataset,
  packDataset,
  unpackDataset,
} from "./packed-dataset.ts";
export { type PartitionOptions, partitionByLabel, type SiteIndices } from "./partition.ts";
export type { Picture } from "./picture.ts";
export { type PictureFile, type PictureOptions, parsePicture, pictureDataset } from "./picture-dataset.ts";
export { type RowDatasetOptions, rowDataset } from "./row-dataset.ts";
export { parseCsv, parseJsonLines, type Table } from "./table.ts";
export {
  type NumberColumn,
  type TableDatasetOptions,
  tableDataset,
  type ValueColumn,
} from "./table-dataset.ts";
export { type TextOptions, textDataset, tokenDataset } from "./text-dataset.ts";
export { transformDataset } from "./transform/index.ts";
