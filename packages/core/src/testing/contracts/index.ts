export { aggregatorContract, type MakeAggregator } from "./aggregator.ts";
export { busContract } from "./bus.ts";
export { cryptoContract } from "./crypto.ts";
export { type DecomposerSamples, decomposerContract } from "./decomposer.ts";
export { auditContract, blobContract, metadataContract, scratchContract } from "./storage.ts";
export { type ConnectedPair, transportContract } from "./transport.ts";
