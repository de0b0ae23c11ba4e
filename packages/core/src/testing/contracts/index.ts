export { aggregatorContract } from "./aggregator.ts";
export { cryptoContract } from "./crypto.ts";
export { type DecomposerSamples, decomposerContract } from "./decomposer.ts";
export { auditContract, blobContract, metadataContract } from "./storage.ts";
export { type ConnectedPair, transportContract } from "./transport.ts";
