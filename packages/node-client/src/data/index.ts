export type {
  ArrayFileNames,
  ArraysDescription,
  DataDescription,
  IdxFileNames,
  ImagesDescription,
  ShardDescription,
  TableDescription,
} from "./describe-data.ts";
export { folderData } from "./folder-data.ts";
