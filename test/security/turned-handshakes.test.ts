import { expect, test } from "vitest";
import { aVictimsProject } from "./equipment/a-victim.ts";
import { HANDSHAKE_PARTS, lengthOf, nobodyComesIn } from "./equipment/altered-handshakes.ts";
import { someBits, withBitTurned } from "./equipment/bits.ts";

// Every alteration meets a handshake of its own. `turned-handshakes.long` turns every bit.

const project = await aVictimsProject();
const PATIENCE_MS = 120_000;

test.each(HANDSHAKE_PARTS)(
  "a bit turned in $name ends the handshake, and nobody has come in",
  async (part) => {
    const length = await lengthOf(project, part);

    for (const bit of someBits(length, { whole: length < 100 ? length : 12, step: 5 })) {
      await nobodyComesIn(project, part, {
        alter: (frame) => [withBitTurned(frame, bit)],
        label: `bit ${bit}`,
      });
    }
  },
  PATIENCE_MS,
);

test.each(HANDSHAKE_PARTS)(
  "$name that is cut short, anywhere, ends the handshake, and nobody has come in",
  async (part) => {
    const length = await lengthOf(project, part);

    for (let end = 0; end < length; end += end < 20 ? 1 : 23) {
      await nobodyComesIn(project, part, {
        alter: (frame) => [frame.subarray(0, end)],
        label: `${end} bytes`,
      });
    }
  },
  PATIENCE_MS,
);

test("a handshake that nobody touches lets both sides in, so that the refusals above mean something", async () => {
  for (const part of HANDSHAKE_PARTS) {
    await expect(
      nobodyComesIn(project, part, { alter: (frame) => [frame], label: "untouched" }),
    ).rejects.toThrow();
  }
});
