export { aggregatorContract } from "./aggregator.ts";
export { cryptoContract } from "./crypto.ts";
