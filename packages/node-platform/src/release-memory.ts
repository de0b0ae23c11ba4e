import { MessageChannel } from "node:worker_threads";

/** Below this many bytes a view may be one of many in a pool of Node's, and the garbage collector is as quick. */
const SMALLEST = 4_096;

/** A port that is closed: what is moved into it is freed. */
const { port1: drain } = new MessageChannel();
drain.close();

/**
 * Frees memory now instead of at some later garbage collection, and so lets the next allocation have it while it is
 * still in the caches of the processor. All views of its buffer are empty from here on. Does nothing where others may
 * use the buffer: when `bytes` is a part of it, or the runtime does not let go of it.
 */
export function releaseMemory(bytes: Uint8Array<ArrayBuffer>): void {
  const { buffer, byteLength } = bytes;
  if (byteLength < SMALLEST || byteLength !== buffer.byteLength) return;
  try {
    drain.postMessage(undefined, [buffer]);
  } catch {
    // Memory that cannot be moved (of WebAssembly, of a pool) stays as it is.
  }
}
