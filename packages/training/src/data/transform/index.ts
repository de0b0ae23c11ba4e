export { transformDataset } from "./transform-dataset.ts";
