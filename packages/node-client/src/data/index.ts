export type { DataDescription } from "./describe-data.ts";
export { folderData } from "./folder-data.ts";
