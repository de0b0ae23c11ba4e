export type { VerifiedObject } from "./contract.ts";
