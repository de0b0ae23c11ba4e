import { expect, test } from "vitest";
import { concatBytes, utf8 } from "../../src/bytes/index.ts";
import { writePositional } from "../../src/decomposer/index.ts";
import { PhotinusError } from "../../src/errors/index.ts";
import { decodeOffer } from "../../src/session/handshake-payloads.ts";
import { acceptSession } from "../../src/session/index.ts";
import { sessionPairParts, testProject } from "../../src/testing/index.ts";
import { FRAME_KIND, readFrame, writeFrame } from "../../src/wire/index.ts";

// What a stranger says first, before any key: versions, and the name of the server that it wants.

const project = await testProject();
/** Any point is a key of X25519. */
const EPHEMERAL = new Uint8Array(32).fill(9);

test.for([
  ["only a version that the server does not speak", [2], FRAME_KIND.error],
  ["no version", [], FRAME_KIND.error],
  ["one that it speaks among others", [7, 1, 2], FRAME_KIND.handshake2],
] as const)("who offers %s is answered accordingly", async ([, versions, kind]) => {
  const { connections, accepting, modules, clock } = await sessionPairParts({
    project,
    transport: { record: true },
  });
  const accepted = acceptSession(connections.server, accepting, modules).catch((error: unknown) => error);
  const payload = concatBytes(EPHEMERAL, writePositional([[...versions], "hub"]));

  connections.injectToServer(writeFrame(FRAME_KIND.handshake1, { payload }));
  await clock.settle();

  expect(connections.sentByServer.map((frame) => readFrame(frame).kind)).toEqual([kind]);
  connections.cut();
  expect(await accepted).toBeInstanceOf(PhotinusError);
});

test("an offer of more than 2 KiB is refused by its length, whatever it says", () => {
  const positions = [[1], "x".repeat(2100)];

  expect(() => decodeOffer(writePositional(positions))).toThrow(
    expect.objectContaining({ code: "ERR_TOO_LARGE" }),
  );
  expect(() => decodeOffer(utf8("x".repeat(2048)))).toThrow(
    expect.objectContaining({ code: "ERR_DECODE_REFUSED" }),
  );
});
