import { FRAME_KIND, type FrameKind } from "../wire/index.ts";

/** Microseconds of processor that a frame of a kind costs its receiver beside its bytes, with its handler's share. */
const PRICE_US: Partial<Record<FrameKind, number>> = {
  [FRAME_KIND.message]: 20,
  [FRAME_KIND.signed]: 80,
  [FRAME_KIND.object]: 200,
  [FRAME_KIND.checkpoint]: 100,
  [FRAME_KIND.rekey]: 100,
};
const OTHER_US = 5;
/** Microseconds for a KiB that is decoded; a chunk is hashed only, and its credit bounds it. */
const DECODED_KIB_US = 20;
/** Microseconds for a KiB that is decrypted and hashed. */
export const OPENED_KIB_US = 2;
/** Microseconds for a KiB that is encrypted and handed to the connection. */
export const SENT_KIB_US = 4;

/**
 * What a frame costs its receiver, in microseconds. A list of prices and not a measurement, so that the same frames cost
 * the same on every machine and in every run.
 */
export function workPriceOf(kind: FrameKind, bytes: number): number {
  const price = PRICE_US[kind];
  return price === undefined ? OTHER_US : price + (bytes / 1024) * DECODED_KIB_US;
}
