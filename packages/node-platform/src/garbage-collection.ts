import { setFlagsFromString } from "node:v8";

/**
 * For the process of a host that moves models. V8 counts memory outside its heap (frames of sockets, decrypted chunks)
 * as growth of the heap: with 20 MB of heap, an update of 50 MB made it collect everything a dozen times, which was
 * half of the CPU time of the server. From here on a full collection waits until heap and buffers together are three
 * times what the last one left; what dies young is collected as before.
 */
export function spareFullCollections(): void {
  setFlagsFromString("--heap-growing-percent=200");
}
