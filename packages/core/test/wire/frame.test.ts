import fc from "fast-check";
import { expect, test } from "vitest";
import { concatBytes, toHex, utf8 } from "../../src/bytes/index.ts";
import { FRAME_KIND, MAX_FRAME_BYTES, readFrame, writeFrame } from "../../src/wire/index.ts";

const anyFrame = fc.record({
  kind: fc.constantFrom(...Object.values(FRAME_KIND)),
  header: fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.from(bytes)),
  tag: fc.uint8Array({ maxLength: 512 }).map((bytes) => Uint8Array.from(bytes)),
  payload: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Uint8Array.from(bytes)),
});

test("a frame is its prefix, header, tag and payload, big endian", () => {
  const frame = writeFrame(FRAME_KIND.error, {
    header: utf8("hh"),
    tag: utf8("t"),
    payload: utf8("ppp"),
  });

  expect(toHex(frame)).toBe(`5048010a0002000100000003${toHex(utf8("hhtppp"))}`);
});

test("reads every frame that it writes", () => {
  fc.assert(
    fc.property(anyFrame, ({ kind, ...parts }) => {
      const frame = readFrame(writeFrame(kind, parts));

      expect(frame.kind).toBe(kind);
      expect(toHex(frame.header)).toBe(toHex(parts.header));
      expect(toHex(frame.tag)).toBe(toHex(parts.tag));
      expect(toHex(frame.payload)).toBe(toHex(parts.payload));
    }),
  );
});

test("refuses every frame that is cut or has a byte too many", () => {
  fc.assert(
    fc.property(anyFrame, fc.nat(), ({ kind, ...parts }, cut) => {
      const bytes = writeFrame(kind, parts);

      expect(() => readFrame(bytes.subarray(0, cut % bytes.length))).toThrow();
      expect(() => readFrame(concatBytes(bytes, Uint8Array.of(0)))).toThrow();
    }),
  );
});

test("never throws anything but its own errors for hostile bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (hostile) => {
      const bytes = Uint8Array.from(hostile);
      if (bytes.length > 3) bytes.set([0x50, 0x48, 1, (bytes[3] ?? 0) % 20]);
      try {
        readFrame(bytes);
      } catch (error) {
        expect(error).toMatchObject({ name: "WireError" });
      }
    }),
  );
});

test.for([
  ["another magic", { 0: 0x51 }, "ERR_FRAME_MALFORMED"],
  ["another second byte of it", { 1: 0x49 }, "ERR_FRAME_MALFORMED"],
  ["another version", { 2: 2 }, "ERR_VERSION_UNSUPPORTED"],
  ["kind 0", { 3: 0 }, "ERR_FRAME_MALFORMED"],
  ["an unknown kind", { 3: 15 }, "ERR_FRAME_MALFORMED"],
  ["a longer header than there is", { 5: 9 }, "ERR_FRAME_MALFORMED"],
  ["a header over its limit", { 4: 0xff }, "ERR_FRAME_MALFORMED"],
  ["a tag over its limit", { 6: 0xff }, "ERR_FRAME_MALFORMED"],
  ["a payload of four gigabytes", { 8: 0xff }, "ERR_FRAME_MALFORMED"],
] as const)("refuses %s", ([, change, code]) => {
  const bytes = writeFrame(FRAME_KIND.message, { header: utf8("h"), payload: utf8("p") });
  for (const [position, value] of Object.entries(change)) bytes[Number(position)] = value;

  expect(() => readFrame(bytes)).toThrow(expect.objectContaining({ code }));
});

test("refuses a frame over the limit of the state before it looks inside", () => {
  expect(() => readFrame(new Uint8Array(101), 100)).toThrow(
    expect.objectContaining({ code: "ERR_TOO_LARGE" }),
  );
  expect(() => readFrame(new Uint8Array(MAX_FRAME_BYTES + 1))).toThrow(
    expect.objectContaining({ code: "ERR_TOO_LARGE" }),
  );
});

test("writing a frame that the format cannot hold is a fault of the caller", () => {
  expect(() => writeFrame(FRAME_KIND.message, { header: new Uint8Array(4097) })).toThrow(RangeError);
  expect(() => writeFrame(FRAME_KIND.message, { tag: new Uint8Array(513) })).toThrow(RangeError);
  expect(() => writeFrame(FRAME_KIND.message, { payload: new Uint8Array(MAX_FRAME_BYTES) })).toThrow(
    RangeError,
  );
});

/** A frame whose lengths add up, of a header and a tag of so many bytes. */
function wholeFrame(headerBytes: number, tagBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + headerBytes + tagBytes);
  bytes.set([0x50, 0x48, 1, FRAME_KIND.message]);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, headerBytes);
  view.setUint16(6, tagBytes);
  return bytes;
}

test("a header has 4 KiB at most and a tag 512 bytes, though the lengths of the frame add up", () => {
  const malformed = expect.objectContaining({ code: "ERR_FRAME_MALFORMED" });

  expect(readFrame(wholeFrame(4096, 512)).header).toHaveLength(4096);
  expect(() => readFrame(wholeFrame(4097, 512))).toThrow(malformed);
  expect(() => readFrame(wholeFrame(4096, 513))).toThrow(malformed);
});
