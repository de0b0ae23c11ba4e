import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { on } from "../../src/session/index.ts";
import { type SessionPairOptions, sessionPair, testProject } from "../../src/testing/index.ts";
import {
  FRAME_KIND,
  RECORD_LIMITS,
  type RecordLimits,
  writeFrame,
  writeRekey,
} from "../../src/wire/index.ts";
import { hostileClient } from "./hostile-client.ts";
import { note } from "./messages.ts";

const project = await testProject();

const withRecord = (record: Partial<RecordLimits>): SessionPairOptions => ({
  client: { limits: { record: { ...RECORD_LIMITS, ...record } } },
  server: { limits: { record: { ...RECORD_LIMITS, ...record } } },
});

async function talkingPair(options: SessionPairOptions = {}) {
  const pair = await sessionPair({ project, transport: { record: true }, ...options });
  const heard = { client: [] as string[], server: [] as string[] };
  pair.client.receive({ routes: [on(note, ({ text }) => void heard.client.push(text))] });
  pair.server.receive({ routes: [on(note, ({ text }) => void heard.server.push(text))] });
  return { ...pair, heard };
}

test("a session outlives its keys many times over", async () => {
  const { client, server, clock, heard } = await talkingPair(withRecord({ frames: 5 }));
  const texts = Array.from({ length: 100 }, (_, index) => `${index}`);

  await Promise.all(texts.map((text) => client.send(note, { text })));
  for (const text of texts) await server.send(note, { text });
  await clock.settle();

  expect(heard).toEqual({ client: texts, server: texts });
  expect([client.signal.aborted, server.signal.aborted]).toEqual([false, false]);
});

test("a key is changed by the bytes that it has carried", async () => {
  const { client, clock, connections, heard } = await talkingPair(withRecord({ bytes: 2000 }));
  const before = connections.sentByClient.length;

  for (let index = 0; index < 10; index++) await client.send(note, { text: "x".repeat(800) });
  await clock.settle();

  expect(heard.server).toHaveLength(10);
  expect(rekeysIn(connections.sentByClient.slice(before))).toBe(4); // two messages a key
});

test("a key is changed when it is an hour old, in each direction by its sender", async () => {
  const { clock, connections } = await talkingPair();
  const before = connections.sentByClient.length;

  await clock.advance(3_590_000);
  expect(rekeysIn(connections.sentByClient.slice(before))).toBe(0);
  await clock.advance(20_000);

  expect(rekeysIn(connections.sentByClient.slice(before))).toBe(1);
  expect(rekeysIn(connections.sentByServer)).toBe(1);
});

test("the directions change their keys independently", async () => {
  const { client, server, clock, connections, heard } = await talkingPair(withRecord({ frames: 5 }));

  for (let index = 0; index < 12; index++) await client.send(note, { text: "up" });
  await server.send(note, { text: "down" });
  await clock.settle();

  expect(rekeysIn(connections.sentByClient)).toBe(2);
  expect(rekeysIn(connections.sentByServer)).toBe(0);
  expect([heard.server.length, heard.client.length]).toEqual([12, 1]);
});

test("a peer that uses a key beyond its limits is refused", async () => {
  const client = await hostileClient(
    project,
    { routes: [] },
    { server: { limits: { record: { ...RECORD_LIMITS, frames: 3 } } } },
  );

  for (let index = 0; index < 4; index++) await client.sendInner(await client.message());
  await client.clock.settle();

  expect(await client.server.ended).toMatchObject({ code: "ERR_GOING_AWAY", local: true });
});

test("a peer that says REKEY and goes on under the old key is refused", async () => {
  const client = await hostileClient(project, { routes: [] });

  await client.sendInner(writeRekey());
  await client.sendInner(await client.message());
  await client.clock.settle();

  expect(await client.server.ended).toMatchObject({ code: "ERR_SEQUENCE_GAP", local: true });
});

test("a peer that changes its key without a word is refused", async () => {
  const client = await hostileClient(project, { routes: [] });

  await client.rekey();
  client.sendOuter(await client.seal(await client.message()));
  await client.clock.settle();

  expect(await client.server.ended).toMatchObject({ code: "ERR_SEQUENCE_GAP", local: true });
});

test.for([
  ["a header", { header: Uint8Array.of(0x90) }],
  ["a tag", { tag: new Uint8Array(16) }],
  ["a payload", { payload: new Uint8Array(40) }],
] as const)("REKEY with %s ends the session", async ([, parts]) => {
  const client = await hostileClient(project, { routes: [] });

  await client.sendInner(writeFrame(FRAME_KIND.rekey, parts));
  await client.clock.settle();

  expect(await client.server.ended).toMatchObject({ code: "ERR_FRAME_MALFORMED", local: true });
});

test.for([
  ["more than 2^22 frames", { frames: 2 ** 22 + 1 }],
  ["a single frame", { frames: 1 }],
  ["more than 64 GiB", { bytes: 64 * 2 ** 30 + 1 }],
  ["more than an hour", { ageMs: 3_600_001 }],
] as const)("a key for %s is a fault of the caller", async ([, record]) => {
  await expect(sessionPair({ project, ...withRecord(record) })).rejects.toThrow(RangeError);
});

/** SESSION frames whose inner frame is a prefix alone: nothing but REKEY is so short. */
function rekeysIn(frames: readonly Bytes[]): number {
  return frames.filter((frame) => frame[3] === FRAME_KIND.session && frame.byteLength === 28 + 12).length;
}
