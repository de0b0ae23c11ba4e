import { availableParallelism, freemem, totalmem } from "node:os";
import { ok, warning } from "../finding.ts";
import type { Probe } from "../subject.ts";

const MIB = 1_048_576;
/** ONNX Runtime, a small model and its gradient. */
const LEAST_BYTES = 512 * MIB;

/** Threads and memory. */
export const machine: Probe = {
  name: "machine",
  async run() {
    const [free, total] = [freemem(), totalmem()];
    const seen = `${availableParallelism()} threads, ${Math.round(free / MIB)} of ${Math.round(total / MIB)} MiB free`;
    return free < LEAST_BYTES
      ? warning(seen, "Free some memory: training a small model takes 512 MiB.")
      : ok(seen);
  },
};
