import { type Bytes, crc32, decompress, toBytes, utf8 } from "@photinus/core/bytes";
import { afterEach, describe, expect, test, vi } from "vitest";

afterEach(() => vi.unstubAllGlobals());

const packed = async (content: Bytes, format: "gzip" | "deflate-raw"): Promise<Bytes> =>
  toBytes(
    await new Response(new Blob([content]).stream().pipeThrough(new CompressionStream(format))).arrayBuffer(),
  );

describe.each(["gzip", "deflate-raw"] as const)("%s", (format) => {
  test("gives back what was packed, up to exactly the limit", async () => {
    const content = utf8("startup kit ".repeat(500));

    expect(await decompress(await packed(content, format), format, content.length)).toEqual(content);
    expect(await decompress(await packed(new Uint8Array(0), format), format, 0)).toEqual(new Uint8Array(0));
  });

  test("is refused with a RangeError one byte above the limit", async () => {
    const content = utf8("startup kit ".repeat(500));

    const unpacking = decompress(await packed(content, format), format, content.length - 1);

    await expect(unpacking).rejects.toThrow(RangeError);
  });

  test("that would grow to 32 MiB is unpacked hardly further than to the limit", async () => {
    const bomb = await packed(new Uint8Array(32 * 1_048_576), format);
    let unpackedBytes = 0;
    const Real = DecompressionStream;
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        unpackedBytes += chunk.byteLength;
        controller.enqueue(chunk);
      },
    });
    vi.stubGlobal("DecompressionStream", function watched() {
      const { writable, readable } = new Real(format);
      return { writable, readable: readable.pipeThrough(counted) };
    });

    await expect(decompress(bomb, format, 1000)).rejects.toThrow(RangeError);

    expect(unpackedBytes).toBeGreaterThan(1000);
    expect(unpackedBytes).toBeLessThan(3 * 1_048_576);
  });

  test("is refused when it is cut off or something else", async () => {
    const whole = await packed(utf8("startup kit ".repeat(100)), format);

    for (const damaged of [whole.subarray(0, whole.length - 9), utf8("never packed"), new Uint8Array(0)]) {
      const error = await decompress(damaged, format, 10_000).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(RangeError);
    }
  });
});

test("the checksum is that of the standard's check value", () => {
  expect(crc32(utf8("123456789"))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});
