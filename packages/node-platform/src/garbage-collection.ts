import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * For the process of a host that moves models. V8 counts memory outside its heap (frames of sockets, decrypted chunks)
 * as growth of the heap: with 20 MB of heap, an update of 50 MB made it collect everything a dozen times, which was
 * half of the CPU time of the server. From here on a full collection waits until heap and buffers together are three
 * times what the last one left; what dies young is collected as before.
 */
export function spareFullCollections(): void {
  setFlagsFromString("--heap-growing-percent=200");
}

/** Bytes that passed sockets after which the buffers they passed through are collected: 16 MiB. */
const COLLECT_AFTER_BYTES = 16_777_216;

let passedBytes = 0;
let collectYoung: (() => void) | undefined;

/**
 * Counts bytes that left a buffer of Node's behind, which is garbage: each that came from a socket was read into one
 * before it became part of a frame, and each that a client sends was copied into one for its mask. V8 alone lets 32 MiB
 * of them lie about, and again as much that it took for long-lived by then: it stops for 5 to 10 ms, many times in an
 * upload, to collect those.
 */
export function countPassed(byteLength: number): void {
  passedBytes += byteLength;
  if (passedBytes < COLLECT_AFTER_BYTES) return;
  passedBytes = 0;
  collectYoung ??= youngCollector();
  collectYoung();
}

/** A collection of the young generation, below 1 ms as a rule; nothing where V8 does not give access to it. */
function youngCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  setFlagsFromString("--no-expose-gc");
  return typeof collect === "function" ? () => collect({ type: "minor" }) : () => undefined;
}
