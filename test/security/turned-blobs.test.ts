import { expect, test } from "vitest";
import { alteredBlobs, BLOB_ENDS } from "./equipment/altered-blobs.ts";
import { turned } from "./equipment/altered-sessions.ts";
import { someBits } from "./equipment/bits.ts";

// BLOB frames travel beside the session, where whoever stands between can alter them unnoticed. The digests of the
// publication are what counts: an alteration is dropped like a frame that was lost, or ends the session, and no more.

test("a bit turned in a BLOB frame: it is dropped, or ends the session, and nothing of it is taken", async () => {
  const ends = await alteredBlobs(turned((length) => someBits(length, { whole: 4, step: 2 })));

  expect([...ends].filter((code) => !BLOB_ENDS.includes(code))).toEqual([]);
});

test("a BLOB frame that is cut short anywhere, or goes on, ends the session", async () => {
  const ends = await alteredBlobs((frame) => [
    ...[0, 1, 11, 12, 30, 57, frame.byteLength - 1].map(
      (end) => [`${end} bytes`, frame.subarray(0, end)] as const,
    ),
    ["a byte more", Uint8Array.from([...frame, 0])] as const,
  ]);

  expect([...ends]).toEqual(["ERR_FRAME_MALFORMED"]);
});
