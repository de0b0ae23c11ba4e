import { concatBytes, equalBytes, toBytes } from "@photinus/core/bytes";
import fc from "fast-check";
import { expect, test } from "vitest";

const anyBytes = fc.uint8Array({ maxLength: 64 });

test("concatBytes keeps the parts in order and copies them", () => {
  fc.assert(
    fc.property(fc.array(anyBytes, { maxLength: 6 }), (parts) => {
      const whole = concatBytes(...parts);

      expect(Array.from(whole)).toEqual(parts.flatMap((part) => Array.from(part)));
      expect(parts.every((part) => part.buffer !== whole.buffer)).toBe(true);
    }),
  );
});

test("equalBytes is true for the same content, whatever the memory", () => {
  fc.assert(fc.property(anyBytes, (bytes) => equalBytes(bytes, Uint8Array.from(bytes))));
});

test("equalBytes is false after any one bit is flipped", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), fc.nat(7), (bytes, at, bit) => {
      const altered = Uint8Array.from(bytes);
      const index = at % altered.length;
      altered[index] = (altered[index] ?? 0) ^ (1 << bit);

      return !equalBytes(bytes, altered);
    }),
  );
});

test("equalBytes is false for different lengths, a common beginning included", () => {
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
});

test("toBytes gives a plain Uint8Array over the same memory", () => {
  const buffer = new ArrayBuffer(8);
  const view = new DataView(buffer, 2, 4);

  const bytes = toBytes(view);

  expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
  expect([bytes.byteOffset, bytes.byteLength]).toEqual([2, 4]);
  expect(bytes.buffer).toBe(buffer);
});

test("toBytes keeps the view's own part of a wider array", () => {
  const words = new Uint16Array([0x0201, 0x0403, 0x0605]).subarray(1, 2);

  expect(Array.from(toBytes(words))).toEqual([3, 4]);
});
