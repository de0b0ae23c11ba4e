export { cryptoContract } from "./crypto.ts";
