import type { Bytes } from "../bytes/index.ts";

/** Randomness for identifiers and keys; seeded in the simulator and in tests. */
export interface Random {
  /** `length` fresh random bytes. */
  bytes(length: number): Bytes;
}
