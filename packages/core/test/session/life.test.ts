import { expect, test } from "vitest";
import { verifyChain } from "../../src/pki/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { on } from "../../src/session/index.ts";
import { bytesSink, bytesSource, makeManifest } from "../../src/stream/index.ts";
import {
  type SessionPairOptions,
  sessionPair,
  TEST_EPOCH_MS,
  testProject,
  trackCrypto,
  virtualClock,
} from "../../src/testing/index.ts";
import { readFrame } from "../../src/wire/index.ts";
import { hostileClient } from "./hostile-client.ts";
import { hostileServer } from "./hostile-server.ts";
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

test("tokens are renewed and messages covered in time, however rare the heartbeats", async () => {
  const rare = { timings: { heartbeatMs: 3_600_000, silenceMs: 86_400_000 } };
  const { client, server, clock } = await idlePair({ client: rare, server: rare });

  for (let hour = 0; hour < 3; hour++) {
    await clock.advance(55 * MINUTE_MS);
    await client.send(order, { text: "signed with a token that is valid" });
    await client.send(note, { text: "to be covered" });
    await clock.advance(5 * MINUTE_MS);
  }

  expect([client.signal.aborted, server.signal.aborted]).toEqual([false, false]);
});

test("old and new tokens are both valid until the old expires", async () => {
  const client = await hostileClient(project, { routes: [on(order, () => undefined)] });
  for (let minute = 0; minute < 14; minute++) {
    await client.sendInner(await client.signed());
    await client.clock.advance(30_000);
    await client.sendInner(await client.signed()); // under the token of WELCOME, though others came at ten minutes
    await client.clock.advance(30_000);
  }

  expect(await client.replies()).toEqual([]);
  expect(client.server.signal.aborted).toBe(false);
});

test("a client whose server stops renewing ends the session a minute after its token", async () => {
  const client = await hostileServer(project);

  for (let minute = 0; minute < 16; minute++) {
    await client.clock.advance(30_000);
    await client.sendAnything();
    expect(client.session.signal.aborted, `${minute} min`).toBe(false);
    await client.clock.advance(30_000);
    await client.sendAnything();
  }
  await client.clock.settle();

  expect(await client.session.ended).toMatchObject({ code: "ERR_TOKEN_EXPIRED", local: true });
});

const hourly = { server: { timings: { lifetimeMs: 3_600_000 } } };

test("a session ends in order before its life is over, when nothing is under way", async () => {
  const { client, server, clock } = await idlePair(hourly);

  await clock.advance(59 * MINUTE_MS);
  expect(client.signal.aborted).toBe(false);
  await clock.advance(55_000);

  expect(await server.ended).toMatchObject({ code: "ERR_GOING_AWAY", local: true });
  expect(await client.ended).toMatchObject({ code: "ERR_GOING_AWAY", local: false, retryAfterMs: 1000 });
});

test("a stream that is under way holds the end back, until the life is over", async () => {
  const { client, server, clock } = await idlePair(hourly);
  const content = new Uint8Array(65_536);
  const options = { totalBytes: content.length, chunkBytes: 65_536 };
  const manifest = await makeManifest(bytesSource(content), options, { crypto: webCrypto(), clock });
  await clock.advance(58 * MINUTE_MS);
  const accepting = server.acceptStream(manifest, bytesSink(content.length).sink).catch(() => undefined);

  await clock.advance(MINUTE_MS + 55_000);
  expect(client.signal.aborted).toBe(false);
  await clock.advance(5000);

  expect(await client.ended).toMatchObject({ code: "ERR_GOING_AWAY", local: false });
  await accepting;
});

test("a life of more than 12 h is a fault of the caller", async () => {
  const timings = { lifetimeMs: 12 * 3_600_000 + 1 };

  await expect(sessionPair({ project, client: { timings } })).rejects.toThrow(RangeError);
  await expect(sessionPair({ project, server: { timings } })).rejects.toThrow(RangeError);
});

test("a client ends a session that its server keeps beyond its life", async () => {
  const { client, clock } = await idlePair({ client: { timings: { lifetimeMs: 3_600_000 } } });

  await clock.advance(60 * MINUTE_MS - 1);
  expect(client.signal.aborted).toBe(false);
  await clock.advance(1);

  expect(await client.ended).toMatchObject({ code: "ERR_GOING_AWAY", local: true });
});

test("a server ends the session of a client in the second in which its certificate expires", async () => {
  const identity = await project.enrol("guest"); // seven days
  const { crypto, settled } = trackCrypto(webCrypto());
  const chain = await verifyChain(
    identity.participant.chain,
    { root: project.root.certificate.der, project: "test", usage: "client", nowMs: TEST_EPOCH_MS },
    { crypto },
  );
  const clock = virtualClock({ startMs: chain.notAfterMs - 10 * MINUTE_MS, settle: settled });
  const { client, server } = await idlePair({ identity, crypto, clock });

  await clock.advance(10 * MINUTE_MS);
  expect(server.signal.aborted).toBe(false);
  await clock.advance(1);

  expect(await server.ended).toMatchObject({ code: "ERR_CERTIFICATE_EXPIRED", local: true });
  expect(await client.ended).toMatchObject({ code: "ERR_AUTH_FAILED", local: false });
});

test("a client ends the session with a server whose certificate expires", async () => {
  const { crypto, settled } = trackCrypto(webCrypto());
  const issuing = { nowMs: TEST_EPOCH_MS };
  const aging = await testProject({ crypto, clock: { now: () => issuing.nowMs } });
  issuing.nowMs += 10 * 86_400_000;
  const identity = await aging.add("site", "younger-than-the-server");
  const chain = await verifyChain(
    aging.server.participant.chain,
    { root: aging.root.certificate.der, project: "test", usage: "server", nowMs: TEST_EPOCH_MS },
    { crypto },
  );
  const clock = virtualClock({ startMs: chain.notAfterMs - MINUTE_MS, settle: settled });
  const { client } = await idlePair({ project: aging, identity, crypto, clock });

  await clock.advance(MINUTE_MS);
  expect(client.signal.aborted).toBe(false);
  await clock.advance(1);

  expect(await client.ended).toMatchObject({ code: "ERR_CERTIFICATE_EXPIRED", local: true });
});

test("from its closing as superseded on, nothing that the peer sent has an effect any more", async () => {
  const { client, server, clock } = await sessionPair({ project });
  const begun: string[] = [];
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  client.receive({ routes: [] });
  server.receive({
    routes: [
      on(note, async ({ text }) => {
        begun.push(text);
        await gate;
      }),
    ],
  });
  for (const text of ["1", "2", "3"]) await client.send(note, { text });
  await clock.settle();

  const closing = server.close("ERR_SUPERSEDED", "a newer session of this certificate took over");
  release();
  await closing;

  expect(begun).toEqual(["1"]);
  expect(await client.ended).toMatchObject({ code: "ERR_SUPERSEDED", local: false });
  expect(await server.ended).toMatchObject({ code: "ERR_SUPERSEDED", local: true });
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

test("a handler that waits for a peer hears that it is gone, although too much waits to be read", async () => {
  const limits = { waitingBytes: 100, framesPerSecond: 1 };
  const pair = await sessionPair({ project, server: { limits } });
  pair.client.receive({ routes: [] });
  let gone = 0;
  pair.server.receive({
    routes: [
      on(note, async ({ text }, _message, session) => {
        if (text === "") return;
        await new Promise((resolve) => session.signal.addEventListener("abort", resolve));
        gone += 1;
      }),
    ],
  });
  // Two are read at once; the others lie there when the connection ends.
  for (const text of ["", "", "wait", "wait"]) await pair.client.send(note, { text });
  await pair.client.close("ERR_GOING_AWAY");
  await pair.clock.settle();
  const goneAtOnce = gone;
  await pair.clock.advance(10_000);

  expect(goneAtOnce).toBe(0);
  expect(gone).toBe(1);
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
