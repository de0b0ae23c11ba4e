import { expect, test } from "vitest";
import { on } from "../../src/session/index.ts";
import { type SessionPairOptions, sessionPair, testProject } from "../../src/testing/index.ts";
import { readFrame } from "../../src/wire/index.ts";
import { note, order } from "./messages.ts";

const project = await testProject();

async function idlePair(options: SessionPairOptions = {}) {
  const pair = await sessionPair({ project, ...options });
  pair.client.receive({ routes: [] });
  pair.server.receive({ routes: [on(note, () => undefined), on(order, () => undefined)] });
  return pair;
}

const MINUTE_MS = 60_000;

test("an idle session lives on heartbeats", async () => {
  const { client, server, clock } = await idlePair();

  await clock.advance(10 * MINUTE_MS);

  expect([client.signal.aborted, server.signal.aborted]).toEqual([false, false]);
});

test("a side that sends anyway sends no heartbeats", async () => {
  const { client, clock, connections } = await idlePair({ transport: { record: true } });
  const before = connections.sentByClient.length;

  for (let index = 0; index < 12; index++) {
    await client.send(note, { text: "busy" });
    await clock.advance(10_000);
  }

  const checkpoints = 2; // one a minute, over the messages
  expect(connections.sentByClient.length - before).toBe(12 + checkpoints);
});

test("a server ends a session from which nothing came for 45 s", async () => {
  let isCut = false;
  const { client, server, clock } = await idlePair({
    transport: { toServer: (frame) => (isCut ? undefined : frame) },
  });
  isCut = true;

  await clock.advance(44_000);
  expect(server.signal.aborted).toBe(false);
  await clock.advance(2_000);

  expect(await server.ended).toMatchObject({ code: "ERR_CONNECTION_LOST", local: true });
  expect(client.signal.aborted).toBe(true);
});

test("a client ends a session whose server is silent", async () => {
  let isCut = false;
  const { client, clock } = await idlePair({
    transport: { toClient: (frame) => (isCut ? undefined : frame) },
  });
  isCut = true;

  await clock.advance(46_000);

  expect(await client.ended).toMatchObject({ code: "ERR_CONNECTION_LOST", local: true });
});

test("the intervals are options, and the server's heartbeat binds its clients", async () => {
  const { clock, connections } = await idlePair({
    server: { timings: { heartbeatMs: 1000, silenceMs: 3000 } },
    transport: { record: true },
  });
  const before = connections.sentByClient.length;

  await clock.advance(10_000);

  expect(connections.sentByClient.length - before).toBe(10);
});

test("tokens are renewed in the session at two thirds, so that it outlives the first", async () => {
  const { client, server, clock } = await idlePair();

  for (let minute = 0; minute < 40; minute++) {
    await clock.advance(MINUTE_MS);
    await client.send(order, { text: "signed with a token that is valid" });
  }
  await clock.settle();

  expect([client.signal.aborted, server.signal.aborted]).toEqual([false, false]);
});

test("a session whose tokens are not renewed ends: its messages are refused as expired", async () => {
  // A server without a timer: it never renews.
  const { client, server, clock } = await idlePair({
    server: { timings: { heartbeatMs: 3_600_000, silenceMs: 86_400_000 } },
    client: { timings: { heartbeatMs: 3_600_000, silenceMs: 86_400_000 } },
  });
  await clock.advance(15 * MINUTE_MS);
  await client.send(order, { text: "too late" }).catch(() => undefined);
  await clock.settle();

  expect(await server.ended).toMatchObject({ code: "ERR_TOKEN_EXPIRED", local: true });
});

test("a session ends in order when its life is over", async () => {
  const { client, server, clock } = await idlePair({ server: { timings: { lifetimeMs: 3_600_000 } } });

  await clock.advance(59 * MINUTE_MS);
  expect(client.signal.aborted).toBe(false);
  await clock.advance(2 * MINUTE_MS);

  expect(await server.ended).toMatchObject({ code: "ERR_GOING_AWAY", local: true });
  expect(await client.ended).toMatchObject({ code: "ERR_GOING_AWAY", local: false });
});

test("a peer that is too fast is read more slowly", async () => {
  const pair = await sessionPair({ project, server: { limits: { framesPerSecond: 10 } } });
  let handled = 0;
  pair.client.receive({ routes: [] });
  pair.server.receive({
    routes: [
      on(note, () => {
        handled += 1;
      }),
    ],
  });

  for (let index = 0; index < 40; index++) await pair.client.send(note, { text: "x" });
  await pair.clock.settle();
  const atOnce = handled;
  await pair.clock.advance(1000);
  const afterOneSecond = handled;
  await pair.clock.advance(2000);

  expect(atOnce).toBe(20);
  expect(afterOneSecond).toBe(30);
  expect(handled).toBe(40);
});

test("a peer is not read while too much waits for its handlers", async () => {
  const pair = await sessionPair({ project, server: { limits: { waitingBytes: 100 } } });
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const got: string[] = [];
  pair.client.receive({ routes: [] });
  pair.server.receive({
    routes: [
      on(note, async ({ text }) => {
        await gate;
        got.push(text.slice(0, 1));
      }),
    ],
  });

  for (const letter of "abcdef") await pair.client.send(note, { text: letter.repeat(60) });
  await pair.clock.settle();
  const { receivedBytes } = pair.server.traffic;
  release();
  await pair.clock.settle();

  expect(got.join("")).toBe("abcdef");
  expect(receivedBytes).toBeLessThan(pair.server.traffic.receivedBytes);
});

test("every frame of a session has the same kind for whoever looks on", async () => {
  const { client, clock, connections } = await idlePair({ transport: { record: true } });
  const before = connections.sentByClient.length;
  await client.send(note, { text: "x" });
  await client.send(order, { text: "x" });
  await clock.settle();

  const kinds = connections.sentByClient.slice(before).map((frame) => readFrame(frame).kind);
  expect(kinds).toEqual([5, 5]);
});
