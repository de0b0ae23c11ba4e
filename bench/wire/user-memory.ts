import { readFileSync } from "node:fs";
import { compactMemory } from "@photinus/node-platform";

/** Memory of a process, bytes. */
export interface UserMemory {
  /** Proportional set size: pages of its own, and its part of shared ones. No memory of the kernel's sockets. */
  readonly residentBytes: number;
  /** Live objects of JavaScript. */
  readonly heapBytes: number;
  /** Memory outside the heap that objects of JavaScript own. */
  readonly externalBytes: number;
}

/**
 * {@link userMemory} of a process from which everything that lives was moved together: what is added to it later finds no
 * room that garbage left.
 */
export function compactUserMemory(): UserMemory {
  compactMemory();
  return userMemory();
}

/** After two full collections. @throws TypeError unless the process runs with --expose-gc */
export function userMemory(): UserMemory {
  if (globalThis.gc === undefined) throw new TypeError("memory is measured with --expose-gc");
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/smaps_rollup", "utf8"))?.[1];
  return { residentBytes: Number(pss) * 1024, heapBytes: heapUsed, externalBytes: external };
}
