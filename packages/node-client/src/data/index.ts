export { folderData } from "./folder-data.ts";
