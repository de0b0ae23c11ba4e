import { type Bytes, utf8 } from "../bytes/index.ts";
import type { Random } from "../platform/index.ts";

/** Repeatable randomness. Not for keys: whoever knows the seed knows every number. */
export interface SeededRandom extends Random {
  /** Uniform in [0, 1), 32 bits of it. */
  uniform(): number;
  /** A uniform integer in [0, below). */
  integer(below: number): number;
  /** An independent generator, the same for the same seed and label whatever was drawn before. */
  fork(label: string): SeededRandom;
}

/**
 * Numbers that a seed determines: sfc32 (C. Doty-Humphrey, PractRand), seeded by FNV-1a of the seed's text.
 */
export function seededRandom(seed: number | string): SeededRandom {
  const next = sfc32(String(seed));
  return {
    bytes(length): Bytes {
      const bytes = new Uint8Array(length);
      for (let index = 0; index < length; index++) bytes[index] = next() >>> 24;
      return bytes;
    },
    uniform: () => next() / 2 ** 32,
    integer: (below) => Math.floor((next() / 2 ** 32) * below),
    fork: (label) => seededRandom(`${seed}/${label}`),
  };
}

function sfc32(seed: string): () => number {
  let [a, b, c, counter] = [hash(seed, 1), hash(seed, 2), hash(seed, 3), 1];
  const next = (): number => {
    const value = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + value) | 0;
    return value >>> 0;
  };
  for (let round = 0; round < 16; round++) next(); // the first outputs still show the seed
  return next;
}

/** FNV-1a, 32 bits, over the lane's number and the text. */
function hash(text: string, lane: number): number {
  let value = Math.imul(0x811c9dc5 ^ lane, 0x01000193);
  for (const byte of utf8(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value | 0;
}
