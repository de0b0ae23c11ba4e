import { test } from "vitest";
import { aVictimsProject } from "./equipment/a-victim.ts";
import { HANDSHAKE_PARTS, lengthOf, nobodyComesIn } from "./equipment/altered-handshakes.ts";
import { allBits, withBitTurned } from "./equipment/bits.ts";

// What turned-handshakes.test.ts does to some bits, done to each of them: a handshake for every bit.

const project = await aVictimsProject();

test.each(HANDSHAKE_PARTS)("every bit turned in $name ends the handshake", async (part) => {
  const length = await lengthOf(project, part);

  for (const bit of allBits(length)) {
    await nobodyComesIn(project, part, {
      alter: (frame) => [withBitTurned(frame, bit)],
      label: `bit ${bit}`,
    });
  }
});

test.each(HANDSHAKE_PARTS)("$name, cut at every length, ends the handshake", async (part) => {
  const length = await lengthOf(project, part);

  for (let end = 0; end < length; end++) {
    await nobodyComesIn(project, part, { alter: (frame) => [frame.subarray(0, end)], label: `${end} bytes` });
  }
});
