import type { Bytes } from "@photinus/core/bytes";

/** The same bytes with one bit turned. @param bit 0 is the highest of the first byte */
export function withBitTurned(bytes: Bytes, bit: number): Bytes {
  const altered = Uint8Array.from(bytes);
  altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
  return altered;
}

/** Every bit of so many bytes. */
export function allBits(length: number): readonly number[] {
  return Array.from({ length: length * 8 }, (_, bit) => bit);
}

/** Each bit of the first bytes, and one bit in each byte of the rest, another one from byte to byte. */
export function someBits(
  length: number,
  { whole, step }: { whole: number; step: number },
): readonly number[] {
  return allBits(length).filter((bit) => {
    const byte = bit >> 3;
    return byte < whole || (byte % step === 0 && bit % 8 === (byte * 5) % 8);
  });
}
