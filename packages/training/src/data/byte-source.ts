import type { Bytes } from "@photinus/core/bytes";

/**
 * Bytes of which pieces are read when they are needed, so that a file may be larger than memory. Reading waits for nothing: it happens in
 * the thread that trains, between two steps.
 */
export interface ByteSource {
  /** How many there are. */
  readonly byteLength: number;
  /** Fills `into` with the bytes from `at` on. @throws TrainingError `ERR_DATA_MISSING` when they cannot be read */
  read(at: number, into: Bytes): void;
}

/** Bytes that are in memory. */
export function memorySource(bytes: Bytes): ByteSource {
  return {
    byteLength: bytes.byteLength,
    read: (at, into) => into.set(bytes.subarray(at, at + into.byteLength)),
  };
}
