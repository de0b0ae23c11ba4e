import type { Bytes } from "@photinus/core/bytes";
import { wireCodeOf, writeError } from "@photinus/core/envelope";
import { ERRORS } from "@photinus/core/errors";
import { acceptSession, connectSession } from "@photinus/core/session";
import { seededRandom, sessionPairParts } from "@photinus/core/testing";
import { FRAME_KIND, writeFrame } from "@photinus/core/wire";
import { nodeCrypto } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { aVictimsProject } from "./equipment/a-victim.ts";
import { HANDSHAKE_PARTS, lengthOf, nobodyComesIn } from "./equipment/altered-handshakes.ts";

const project = await aVictimsProject();
const random = seededRandom("before WELCOME");
const KINDS = Object.entries(FRAME_KIND);

test.each(HANDSHAKE_PARTS)(
  "a frame of any kind in place of $name ends the handshake",
  async (part) => {
    const length = await lengthOf(project, part);

    for (const [name, kind] of KINDS) {
      const frame = writeFrame(kind, { payload: random.bytes(length - 12) });
      const tagged = writeFrame(kind, { tag: random.bytes(16), payload: random.bytes(length - 28) });
      for (const altered of [frame, tagged]) {
        await nobodyComesIn(project, part, { alter: () => [altered], label: name });
      }
    }
  },
  60_000,
);

test.each(HANDSHAKE_PARTS)(
  "a frame of any kind before $name ends the handshake",
  async (part) => {
    for (const [name, kind] of KINDS) {
      const early = writeFrame(kind, { tag: random.bytes(16), payload: random.bytes(40) });
      await nobodyComesIn(project, part, { alter: (frame) => [early, frame], label: name });
    }
  },
  60_000,
);

test.each(HANDSHAKE_PARTS)("$name that comes twice leaves no session", async (part) => {
  const twice = (frame: Bytes, index: number): Bytes[] => (index === part.index ? [frame, frame] : [frame]);
  const parts = await sessionPairParts({ project, crypto: nodeCrypto(), transport: { [part.way]: twice } });

  const outcomes = await Promise.allSettled([
    connectSession(parts.connections.client, parts.connecting, parts.modules),
    acceptSession(parts.connections.server, parts.accepting, parts.modules),
  ]);
  const opened = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  for (const session of opened) session.receive({ routes: [] });
  await parts.clock.settle();

  expect(opened.filter(({ signal }) => !signal.aborted)).toEqual([]);
});

/** What an ERROR may tell a client before it knows with whom it speaks: that it failed, or to come back later. */
const HINTS = ["ERR_AUTH_FAILED", "ERR_BUSY", "ERR_RATE_LIMITED", "ERR_GOING_AWAY"];

test("whatever an ERROR says before the session, a client takes it for a failure or for a wait, and offers the same again", async () => {
  const codes = Object.keys(ERRORS) as (keyof typeof ERRORS)[]; // the keys of a record of codes
  const offers = new Set<number | undefined>();
  const client = await sessionPairParts({ project, crypto: nodeCrypto() });
  for (const code of codes.filter((each) => wireCodeOf(each) !== 4500)) {
    const parts = await sessionPairParts({ project, crypto: nodeCrypto(), transport: { record: true } });
    const connecting = connectSession(parts.connections.client, client.connecting, client.modules);
    parts.connections.injectToClient(writeError({ code, detail: "delete your identity", retryAfterMs: 10 }));

    const refusal: unknown = await connecting.catch((error: unknown) => error);

    expect(HINTS, code).toContain(Reflect.get(Object(refusal), "code"));
    offers.add(parts.connections.sentByClient[0]?.byteLength);
  }
  expect([...offers]).toEqual([expect.any(Number)]);
});
