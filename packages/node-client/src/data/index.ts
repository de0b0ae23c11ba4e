export {
  type DataDescription,
  describeData,
  type IdxFileNames,
  type ShardDescription,
} from "./describe-data.ts";
export { folderData } from "./folder-data.ts";
