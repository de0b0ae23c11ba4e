export { describeError, PhotinusError } from "./errors/index.ts";
