import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { describeError } from "../../src/errors/index.ts";
import { acceptSession, connectSession, on, type Refusal } from "../../src/session/index.ts";
import { SentMessages } from "../../src/session/sent-messages.ts";
import { sessionPair, sessionPairParts, testProject } from "../../src/testing/index.ts";
import { large, note, order } from "./messages.ts";

const project = await testProject();
const PATIENT = { timings: { silenceMs: 3_600_000, heartbeatMs: 3_600_000 } };

/** A pair on whose way to the server frames may be held back, in order. */
async function aSlowWay() {
  const held: Bytes[] = [];
  let isHolding = false;
  const pair = await sessionPair({
    project,
    client: PATIENT,
    server: PATIENT,
    transport: {
      toServer: (frame) => {
        if (!isHolding) return frame;
        held.push(frame);
        return undefined;
      },
    },
  });
  const got: string[] = [];
  const refusals: Refusal[] = [];
  pair.server.receive({
    routes: [on(order, ({ text }) => void got.push(text)), on(note, ({ text }) => void got.push(text))],
  });
  pair.client.receive({ routes: [], onRefused: (refusal) => void refusals.push(refusal) });
  return {
    ...pair,
    got,
    refusals,
    hold: () => {
      isHolding = true;
    },
    release: async () => {
      isHolding = false;
      for (const frame of held.splice(0)) pair.connections.injectToServer(frame);
      await pair.clock.settle();
    },
  };
}

test("a signed message that waited over a minute on its way is signed anew and arrives once", async () => {
  const way = await aSlowWay();
  way.hold();
  const messageId = new Uint8Array(16).fill(9);
  await way.client.send(order, { text: "late" }, { messageId });

  await way.clock.advance(61_000);
  await way.release();

  expect(way.got).toEqual(["late"]);
  expect(way.refusals).toEqual([]);
});

test("a signed message that waited less than a minute is not signed again", async () => {
  const way = await aSlowWay();
  way.hold();
  await way.client.send(order, { text: "in time" });

  await way.clock.advance(59_000);
  await way.release();

  expect(way.got).toEqual(["in time"]);
});

test("a message that is stale for the second time ends the session: a new one compares the clocks again", async () => {
  const way = await aSlowWay();
  way.hold();
  await way.client.send(order, { text: "late" });
  await way.clock.advance(61_000);
  const release = way.release();
  way.hold(); // what is signed anew waits as well
  await release;

  await way.clock.advance(61_000);
  await way.release();

  expect(way.got).toEqual([]);
  expect(way.refusals).toEqual([]);
  expect(await way.client.ended).toMatchObject({ code: "ERR_GOING_AWAY", local: true });
});

test("a message that is too large to be kept is refused, and its sender hears of it", async () => {
  const way = await aSlowWay();
  way.hold();
  const messageId = await way.client.send(large, { bytes: new Uint8Array(300_000) });

  await way.clock.advance(61_000);
  await way.release();

  expect(way.refusals).toMatchObject([{ code: "ERR_ENVELOPE_STALE", inReplyTo: messageId }]);
});

test("messages are kept up to a number, a size and an age", () => {
  const sent = new SentMessages();
  const aMessage = (id: number, bytes: number) => ({
    ...{ type: 901, inReplyTo: undefined, scope: undefined },
    messageId: new Uint8Array(16).fill(id),
    body: new Uint8Array(bytes),
  });
  const isKept = (id: number): boolean => sent.again(new Uint8Array(16).fill(id)) !== undefined;

  for (let id = 0; id < 70; id++) sent.add(aMessage(id, 10), 0);
  expect([isKept(5), isKept(6)]).toEqual([false, true]);
  sent.add(aMessage(100, 262_144), 0);
  expect([isKept(69), isKept(100)]).toEqual([false, true]);
  sent.add(aMessage(101, 1), 600_001);

  expect([isKept(100), isKept(101)]).toEqual([false, true]);
});

test.for([
  ["behind", -299_000],
  ["ahead", 299_000],
] as const)("a client whose clock is five minutes %s follows the server's", async ([, offsetMs]) => {
  const parts = await sessionPairParts({ project });
  const { clock } = parts;
  const own = { ...clock, now: () => clock.now() + offsetMs };
  const [client, server] = await Promise.all([
    connectSession(parts.connections.client, parts.connecting, { ...parts.modules, clock: own }),
    acceptSession(parts.connections.server, parts.accepting, parts.modules),
  ]);
  const got: string[] = [];
  server.receive({ routes: [on(order, ({ text }) => void got.push(text))] });
  client.receive({ routes: [] });

  await client.send(order, { text: "x" });
  await clock.settle();

  expect(client.clockOffsetMs).toBe(-offsetMs);
  expect(got).toEqual(["x"]);
});

test("a client whose clock is off by more is told what to do about it", async () => {
  const parts = await sessionPairParts({ project });
  const { clock } = parts;
  const own = { ...clock, now: () => clock.now() + 301_000 };
  const accepted = acceptSession(parts.connections.server, parts.accepting, parts.modules);

  await expect(
    connectSession(parts.connections.client, parts.connecting, { ...parts.modules, clock: own }),
  ).rejects.toMatchObject({ code: "ERR_CLOCK_SKEW", message: expect.stringContaining("301 s ahead") });
  await accepted;

  expect(describeError("ERR_CLOCK_SKEW").remedy).toMatch(/clock/);
});
