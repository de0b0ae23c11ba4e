import fc from "fast-check";
import { expect, test } from "vitest";
import { utf8 } from "../../src/bytes/index.ts";
import { writePositional } from "../../src/decomposer/index.ts";
import {
  MAX_DETAIL_BYTES,
  readError,
  truncateUtf8,
  wireCodeOf,
  writeError,
} from "../../src/envelope/index.ts";
import { FRAME_KIND, readFrame, writeFrame } from "../../src/wire/index.ts";

test("an ERROR says code, message, time and words", () => {
  const notice = {
    code: "ERR_BUSY",
    inReplyTo: new Uint8Array(16).fill(4),
    retryAfterMs: 5000,
    detail: "all slots are taken",
  } as const;

  expect(readError(readFrame(writeError(notice)))).toEqual(notice);
});

test("local codes travel as what they mean to a peer", () => {
  expect(wireCodeOf("ERR_CERTIFICATE_EXPIRED")).toBe(4003);
  expect(wireCodeOf("ERR_STORAGE_CORRUPT")).toBe(4500);
  expect(wireCodeOf("ERR_BUSY")).toBe(4027);
});

test("words of a peer that would steer a terminal arrive without what steers", () => {
  const header = writePositional([4003, null, null, "no\u001b]0;title\u0007\u001b[2J\r\nyes\u202e"]);

  const { detail } = readError(readFrame(writeFrame(FRAME_KIND.error, { header })));

  expect(detail).toBe("no\ufffd]0;title\ufffd\ufffd[2J\ufffd\ufffdyes\ufffd");
});

test("a code of a later version is still a refusal", () => {
  const header = writePositional([4998, null, null, "from the future"]);

  expect(readError(readFrame(writeFrame(FRAME_KIND.error, { header }))).code).toBe("ERR_INTERNAL");
});

test.for([
  ["a code outside 4000 to 4999", [3999, null, null, ""]],
  ["an id of another length", [4027, new Uint8Array(15), null, ""]],
  ["a wait of more than an hour", [4027, null, 3_600_001, ""]],
  ["too many words", [4027, null, null, "x".repeat(513)]],
  ["a position too few", [4027, null, null]],
] as const)("refuses an ERROR with %s", ([, positions]) => {
  const frame = readFrame(writeFrame(FRAME_KIND.error, { header: writePositional(positions) }));

  expect(() => readError(frame)).toThrow(expect.objectContaining({ code: "ERR_DECODE_REFUSED" }));
});

test("refuses an ERROR with a payload", () => {
  const header = readFrame(writeError({ code: "ERR_BUSY", detail: "" })).header;
  const frame = readFrame(writeFrame(FRAME_KIND.error, { header, payload: utf8("x") }));

  expect(() => readError(frame)).toThrow(expect.objectContaining({ code: "ERR_FRAME_MALFORMED" }));
});

test("words of any length are cut between characters", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 400, unit: "binary" }), fc.nat({ max: 600 }), (text, maximum) => {
      const shortened = truncateUtf8(text, maximum);
      expect(utf8(shortened).length).toBeLessThanOrEqual(Math.max(maximum, 0));
      expect(shortened.length).toBeLessThanOrEqual(text.length);
    }),
  );
  const notice = readError(readFrame(writeError({ code: "ERR_BUSY", detail: "é".repeat(1000) })));
  expect(utf8(notice.detail)).toHaveLength(MAX_DETAIL_BYTES);
});
