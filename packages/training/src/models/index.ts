export { type BenchModel, type BenchModelName, benchModel } from "./bench-models.ts";
export { initializeParameters } from "./initialize.ts";
