import { expect, test } from "vitest";
import { aVictimsProject, INNER_KINDS } from "./equipment/a-victim.ts";
import { alteredBlobs, BLOB_ENDS } from "./equipment/altered-blobs.ts";
import { endsUntouched, outerLength, refusesFromInside, turned } from "./equipment/altered-sessions.ts";
import { allBits, withBitTurned } from "./equipment/bits.ts";

// What turned-bits.test.ts does to some bits, done to each of them: a session with a handshake for every bit.

const project = await aVictimsProject();

test.each(INNER_KINDS)("every bit turned in a SESSION frame with %s ends the session", async (kind) => {
  const bits = allBits(await outerLength(project, kind));

  for (const bit of bits) {
    await endsUntouched(project, kind, { alter: (outer) => withBitTurned(outer, bit), label: `bit ${bit}` });
  }
});

test.each(INNER_KINDS)("a SESSION frame with %s, cut at every length, ends the session", async (kind) => {
  const length = await outerLength(project, kind);

  for (let end = 0; end < length; end++) {
    await endsUntouched(project, kind, { alter: (outer) => outer.subarray(0, end), label: `${end} bytes` });
  }
});

test.each(["SIGNED", "OBJECT", "CHECKPOINT"] as const)(
  "every bit turned in a %s frame is refused",
  async (kind) => {
    const { codes } = await refusesFromInside(project, kind, turned(allBits));

    expect([...codes.keys()]).toContain("ERR_ENVELOPE_SIGNATURE_INVALID");
  },
);

test("every bit turned in a BLOB frame: it is dropped, or ends the session, and nothing of it is taken", async () => {
  const ends = await alteredBlobs(turned(allBits));

  expect([...ends].filter((code) => !BLOB_ENDS.includes(code))).toEqual([]);
});
