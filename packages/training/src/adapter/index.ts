export type { AdapterOptions } from "./adapted-weights.ts";
export { type AdaptedModel, addAdapters } from "./add-adapters.ts";
export { mergeAdapters } from "./merge-adapters.ts";
