import type { Bytes } from "@photinus/core/bytes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseNpy } from "../../src/data/index.ts";

/** A file as numpy.save writes it. */
function npy(header: string, data: ArrayBufferView = new Uint8Array(), version = 1): Bytes {
  const text = new TextEncoder().encode(`${header}\n`);
  const length =
    version === 1 ? [text.length % 256, text.length >> 8] : [text.length % 256, text.length >> 8, 0, 0];
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...length, ...text, ...bytes]);
}

const headerOf = (descr: string, shape: string, order = "False"): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }   `;

describe("parseNpy", () => {
  test.each([
    ["<f4", Float32Array.of(1, -2), Float32Array.of(1, -2)],
    ["<f8", Float64Array.of(0.5, 2), Float32Array.of(0.5, 2)],
    ["<i4", Int32Array.of(1, -2), Int32Array.of(1, -2)],
    ["<i8", BigInt64Array.of(1n, -2n), BigInt64Array.of(1n, -2n)],
    ["|u1", Uint8Array.of(1, 255), Int32Array.of(1, 255)],
    ["|b1", Uint8Array.of(0, 2), Uint8Array.of(0, 1)],
  ])("reads %s, wherever it lies in the file", (descr, data, values) => {
    expect(parseNpy(npy(headerOf(descr, "(2,)"), data), "f")).toEqual({ shape: [2], values });
    expect(parseNpy(npy(`${headerOf(descr, "(1, 2)")} `, data, 2), "f")).toEqual({ shape: [1, 2], values });
  });

  test("reads what lies in a view of another kind, whose slice is no copy", () => {
    // Node's Buffer is such a view; a page has none.
    class Sharing extends Uint8Array<ArrayBuffer> {
      override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
        return this.subarray(start, end);
      }
    }
    const file = npy(headerOf("<f4", "(2,)"), Float32Array.of(1, -2));
    const pool = new Sharing(new ArrayBuffer(file.length + 24));
    pool.set(file, 16);

    expect(parseNpy(pool.subarray(16, 16 + file.length), "f")).toEqual({
      shape: [2],
      values: Float32Array.of(1, -2),
    });
  });

  test("reads a single number and an array of no elements", () => {
    expect(parseNpy(npy(headerOf("<f4", "()"), Float32Array.of(3)), "f")).toEqual({
      shape: [],
      values: Float32Array.of(3),
    });
    expect(parseNpy(npy(headerOf("<f4", "(0, 5)")), "f").shape).toEqual([0, 5]);
  });

  test.each([
    ["another magic", Uint8Array.of(1, 2, 3), /does not begin/],
    ["a version of the future", npy(headerOf("<f4", "()"), Float32Array.of(1), 4), /version 4/],
    [
      "a header longer than the file",
      Uint8Array.from([...npy("x").subarray(0, 8), 255, 255, 0, 0]),
      /inside its header/,
    ],
    [
      "objects, which only Python's pickle reads",
      npy(headerOf("|O8", "(1,)"), new Uint8Array(8)),
      /header|type/,
    ],
    ["big-endian numbers", npy(headerOf(">f4", "(1,)"), new Uint8Array(4)), /header/],
    ["half floats", npy(headerOf("<f2", "(1,)"), new Uint8Array(2)), /type <f2/],
    ["Fortran order", npy(headerOf("<f4", "(1,)", "True"), new Uint8Array(4)), /ascontiguousarray/],
    [
      "nine dimensions",
      npy(headerOf("<f4", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), new Uint8Array(4)),
      /9 dimensions/,
    ],
    ["more elements than bytes", npy(headerOf("<f4", "(9999999999, 9999999999)")), /promises/],
    [
      "bytes behind the elements",
      npy(headerOf("<f4", "(1,)"), new Uint8Array(5)),
      /promises 4 bytes, 5 follow/,
    ],
    ["code for a header", npy("__import__('os')"), /header is not/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => parseNpy(bytes, "f")).toThrow(
      expect.objectContaining({ code: "ERR_DATA_MALFORMED", message: expect.stringMatching(message) }),
    );
  });

  test("ends in an array or a typed error for any bytes, and soon for any header", () => {
    const start = npy(headerOf("<f4", "(2,)"), Float32Array.of(1, 2));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.nat(start.length - 1), (noise, at) => {
        const bytes = Uint8Array.from(start);
        bytes.set(noise.subarray(0, start.length - at), at);
        try {
          parseNpy(bytes, "f");
        } catch (error) {
          expect(error).toMatchObject({ code: "ERR_DATA_MALFORMED" });
        }
      }),
    );
    const long = npy(headerOf("<f4", `(${"1, ".repeat(16_000)}x)`));
    expect(() => parseNpy(long, "f")).toThrow(expect.objectContaining({ code: "ERR_DATA_MALFORMED" }));
  });
});
