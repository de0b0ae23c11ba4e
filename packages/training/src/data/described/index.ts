export {
  type ArchiveDescription,
  type ArrayFileNames,
  type ArrayOptions,
  type ArraysDescription,
  type DataDescription,
  type IdxFileNames,
  type ImagesDescription,
  type PictureFolderDescription,
  parseDataDescription,
  type ShardDescription,
  type TableDescription,
  type TextDescription,
} from "./data-description.ts";
export { type DataFiles, describedData } from "./described-data.ts";
