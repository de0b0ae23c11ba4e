export { type DataDescription, folderData } from "./data/index.ts";
