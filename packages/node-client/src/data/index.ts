export type {
  ArrayFileNames,
  ArraysDescription,
  DataDescription,
  IdxFileNames,
  ImagesDescription,
  ShardDescription,
  TableDescription,
  TextDescription,
} from "./describe-data.ts";
export { folderData } from "./folder-data.ts";
