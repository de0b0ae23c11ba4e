import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * For the process of a host that moves models. V8 counts memory outside its heap (frames of sockets, decrypted chunks)
 * as growth of the heap: with 20 MB of heap, an update of 50 MB made it collect everything a dozen times, which was
 * half of the CPU time of the server. From here on a full collection waits until heap and buffers together are three
 * times what the last one left; what dies young is collected as before.
 *
 * No unit test shows the difference; `npm run bench -- update` does: `serverCpuRatio` 5.0 with it and 9.1 without
 * (AMD EPYC, 2 cores, Node 20.20.2, 2026-11-28, load 3 to 7).
 */
export function spareFullCollections(): void {
  setFlagsFromString("--heap-growing-percent=200");
}

/** Bytes that passed sockets after which the buffers they passed through are collected: 16 MiB. */
const COLLECT_AFTER_BYTES = 16_777_216;

/** V8's: of everything, or of the young generation. Node 20 takes any options for the latter. */
type Collect = (young?: { readonly type: "minor" }) => void;

let passedBytes = 0;
let uncollectedBytes = 0;
let access: Collect | undefined;

/**
 * Counts bytes that left a buffer of Node's behind, which is garbage: each that came from a socket was read into one
 * before it became part of a frame, and each that a client sends was copied into one for its mask. V8 alone lets 32 MiB
 * of them lie about, and again as much that it took for long-lived by then: it stops for 5 to 10 ms, many times in an
 * upload, to collect those. Such a collection of the young generation takes below 1 ms as a rule.
 */
export function countPassed(byteLength: number): void {
  passedBytes += byteLength;
  uncollectedBytes += byteLength;
  if (uncollectedBytes < COLLECT_AFTER_BYTES) return;
  uncollectedBytes = 0;
  collector()({ type: "minor" });
}

/** Bytes that passed sockets since the process began: one who reads it twice knows whether much moves. */
export function bytesPassed(): number {
  return passedBytes;
}

/**
 * Collects everything and moves what lives together, so that the pages between go back to the system. V8 by itself
 * does so with few pages at a time. The process stands still meanwhile, some 5 ms for each MB that lives, and for that
 * moment needs room for a second copy: for a host that has become idle. Nothing where V8 does not give access to it.
 */
export function compactMemory(): void {
  setFlagsFromString("--compact-on-every-full-gc");
  collector()();
  setFlagsFromString("--no-compact-on-every-full-gc");
}

function collector(): Collect {
  access ??= collectorOfV8();
  return access;
}

function collectorOfV8(): Collect {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  setFlagsFromString("--no-expose-gc");
  return typeof collect === "function" ? (...young) => collect(...young) : () => undefined;
}
