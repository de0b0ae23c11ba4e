export { aggregatorContract } from "./aggregator.ts";
export { cryptoContract } from "./crypto.ts";
export { auditContract, blobContract, metadataContract } from "./storage.ts";
