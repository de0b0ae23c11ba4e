import { expect, test } from "vitest";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import { sealObject } from "../../src/envelope/index.ts";
import { OBJECT_TYPES } from "../../src/message/index.ts";
import { type CryptoProvider, webCrypto } from "../../src/platform/index.ts";
import { signerChain } from "../../src/session/control-messages.ts";
import { completeLimits } from "../../src/session/established.ts";
import { on } from "../../src/session/index.ts";
import { RateBucket } from "../../src/session/rate-bucket.ts";
import { ReadGate } from "../../src/session/read-gate.ts";
import { sessionPair, TEST_EPOCH_MS, testProject, virtualClock } from "../../src/testing/index.ts";
import { FRAME_KIND } from "../../src/wire/index.ts";
import { hostileClient } from "./hostile-client.ts";
import { note, order } from "./messages.ts";

const project = await testProject();

test("a frame beyond the rate is not decrypted before its time", async () => {
  let opened = 0;
  const base = webCrypto();
  const crypto: CryptoProvider = {
    ...base,
    aesGcmOpen: (...request) => {
      opened += 1;
      return base.aesGcmOpen(...request);
    },
  };
  const pair = await sessionPair({ project, crypto, server: { limits: { framesPerSecond: 10 } } });
  pair.client.receive({ routes: [] });
  pair.server.receive({ routes: [on(note, () => undefined)] });
  opened = 0;

  for (let index = 0; index < 30; index++) await pair.client.send(note, { text: "x" });
  await pair.clock.settle();
  expect(opened).toBe(20);
  await pair.clock.advance(500);

  expect(opened).toBe(25);
});

test("a frame that is no frame ends the session without waiting for its turn", async () => {
  const client = await hostileClient(
    project,
    { routes: [on(note, () => undefined)] },
    { server: { limits: { framesPerSecond: 10 } } },
  );
  for (let index = 0; index < 20; index++) await client.sendInner(client.message());

  client.sendOuter(new Uint8Array(40));
  await client.clock.settle();

  expect(await client.server.ended).toMatchObject({ code: "ERR_FRAME_MALFORMED" });
});

test("a peer whose frames cost too much is read more slowly, though they are few", async () => {
  const pair = await sessionPair({ project, server: { limits: { workMsPerSecond: 1 } } });
  let handled = 0;
  const count = (): void => {
    handled += 1;
  };
  pair.client.receive({ routes: [] });
  pair.server.receive({ routes: [on(order, count)] });

  // 2 ms of work at once, then 1 ms a second: a signed message costs about 0.09 ms.
  for (let index = 0; index < 40; index++) await pair.client.send(order, { text: "x" });
  await pair.clock.settle();
  const atOnce = handled;
  await pair.clock.advance(1000);
  const afterOneSecond = handled;
  await pair.clock.advance(10_000);

  expect(atOnce).toBeGreaterThan(20);
  expect(atOnce).toBeLessThanOrEqual(25);
  expect(afterOneSecond - atOnce).toBeGreaterThan(9);
  expect(afterOneSecond - atOnce).toBeLessThanOrEqual(12);
  expect(handled).toBe(40);
});

test("chains that do not verify cost more than their frames", async () => {
  const pair = await sessionPair({ project, server: { limits: { workMsPerSecond: 1 } } });
  let refused = 0;
  const onRefused = (): void => {
    refused += 1;
  };
  pair.client.receive({ routes: [], onRefused });
  pair.server.receive({ routes: [] });

  // 2 ms of work at once, then 1 ms a second: a chain costs about 0.62 ms, its frame alone 0.02 ms.
  for (let index = 0; index < 10; index++)
    await pair.client.send(signerChain, { chain: [new Uint8Array(9)] });
  await pair.clock.settle();
  const atOnce = refused;
  await pair.clock.advance(10_000);

  expect(atOnce).toBe(4);
  expect(refused).toBe(10);
});

test("objects that are refused cost their sender as much as others", async () => {
  const client = await hostileClient(
    project,
    { routes: [], onObject: () => undefined },
    { server: { limits: { workMsPerSecond: 1 } } },
  );
  const lead = project.users.get("lead@example.org")!;
  const object = await sealObject(
    {
      objectType: OBJECT_TYPES.job,
      audience: "all",
      issuedAt: TEST_EPOCH_MS,
      lifetimeMs: 60_000,
      payload: encode(1, builtInRegistry()),
    },
    { identity: lead, crypto: webCrypto() },
  );

  for (let index = 0; index < 30; index++) await client.sendInner(object);

  expect((await client.replies()).length).toBeLessThanOrEqual(11); // 2 ms at 0.2 ms each, and the one in debt
});

test("the time that a peer waits at the gate is no silence of the peer", async () => {
  const pair = await sessionPair({ project, server: { limits: { framesPerSecond: 0.01 } } });
  pair.client.receive({ routes: [] });
  pair.server.receive({ routes: [on(note, () => undefined)] });

  await pair.client.send(note, { text: "waits for 98 s" });
  await pair.clock.advance(90_000);

  expect(pair.server.signal.aborted).toBe(false);
});

test("a bucket gives what it has, then only what flows in", () => {
  const bucket = new RateBucket(10);

  expect(bucket.take(20, 0)).toBe(0);
  expect(bucket.take(1, 0)).toBe(100);
  expect(bucket.take(4, 0)).toBe(500);
  expect(bucket.take(0, 500)).toBe(0);
  expect(bucket.isFull(2499)).toBe(false);
  expect(bucket.isFull(2500)).toBe(true);
  expect(bucket.take(20, 1e6)).toBe(0);
  expect(bucket.take(10, 1e6)).toBe(1000);
});

test("a gate is at rest again once what its peer used has flowed in", async () => {
  const clock = virtualClock();
  const gate = new ReadGate(completeLimits({ framesPerSecond: 10, workMsPerSecond: 1 }), clock);
  expect(gate.isAtRest).toBe(true);

  gate.enter();
  gate.spend(500); // microseconds, of which one flows in each ms
  await clock.advance(499);
  expect(gate.isAtRest).toBe(false);
  await clock.advance(1);

  expect(gate.isAtRest).toBe(true);
});

test("a gate at which somebody waits is not at rest, however long that is", async () => {
  const clock = virtualClock();
  const gate = new ReadGate(completeLimits(), clock);
  const waiting = gate.wait(60_000, new AbortController().signal);

  await clock.advance(59_999);
  expect(gate.isAtRest).toBe(false);
  await clock.advance(1);
  await waiting;

  expect(gate.isAtRest).toBe(true);
});

test("a gate lets what is within rate and budget pass at once", () => {
  const gate = new ReadGate(completeLimits(), virtualClock());

  for (let index = 0; index < 1000; index++) {
    expect(gate.enter()).toBe(0);
    gate.charge(FRAME_KIND.signed, 500);
    gate.charge(FRAME_KIND.chunk, 262_144);
  }
});

test("after about 2 ms of reading everybody else has a turn", async () => {
  let turns = 0;
  const clock = virtualClock();
  const gate = new ReadGate(completeLimits(), {
    ...clock,
    yield: async () => {
      turns += 1;
    },
  });

  for (let chunk = 0; chunk < 40; chunk++) {
    gate.charge(FRAME_KIND.chunk, 262_144);
    if (gate.turn.isOver) await gate.turn.next();
  }
  expect(turns).toBe(10); // four chunks of 256 KiB each
  for (let message = 0; message < 40; message++) {
    gate.charge(FRAME_KIND.signed, 200);
    if (gate.turn.isOver) await gate.turn.next();
  }

  expect(turns).toBe(11);
});

test("a session that finds many frames at once gives others their turn", async () => {
  const pair = await sessionPair({ project });
  let turns = 0;
  const count = pair.clock.yield;
  Object.assign(pair.clock, {
    yield: () => {
      turns += 1;
      return count();
    },
  });
  pair.server.receive({ routes: [on(note, () => undefined)] });

  for (let index = 0; index < 200; index++) await pair.client.send(note, { text: "x" });
  await pair.clock.settle();

  expect(turns).toBeGreaterThanOrEqual(1);
});
