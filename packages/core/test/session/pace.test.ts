import { describe, expect, test } from "vitest";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import { writeError, writeMessage } from "../../src/envelope/index.ts";
import { WireError } from "../../src/errors/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import {
  acceptSession,
  connectSession,
  LOGINS_PER_SECOND,
  LoginPace,
  on,
  tokens,
} from "../../src/session/index.ts";
import {
  sessionPair,
  sessionPairParts,
  TEST_EPOCH_MS,
  testProject,
  trackCrypto,
  virtualClock,
} from "../../src/testing/index.ts";
import { readFrame } from "../../src/wire/index.ts";
import { hostileClient } from "./hostile-client.ts";
import { hostileServer } from "./hostile-server.ts";
import { note } from "./messages.ts";

const project = await testProject();

describe("the pace of log-ins", () => {
  test("lets half a second's worth of handshakes be under way, and gives the others places in a row", () => {
    const pace = new LoginPace(virtualClock(), 10);
    const inside = Array.from({ length: 5 }, () => pace.enter());

    const outside = Array.from({ length: 20 }, () => pace.enter());

    expect(inside.every(({ admitted }) => admitted)).toBe(true);
    const times = outside.map((entry) => (entry.admitted ? 0 : entry.retryAfterMs));
    expect(times.slice(0, 10)).toEqual(Array(10).fill(1000));
    expect(times.slice(10)).toEqual([1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900, 2000]);
  });

  test("takes the next when one is through, however often it says so", () => {
    const pace = new LoginPace(virtualClock(), 2);
    const first = pace.enter();
    expect(pace.enter().admitted).toBe(false);

    if (first.admitted) {
      first.leave();
      first.leave();
    }

    expect(pace.enter().admitted).toBe(true);
    expect(pace.enter().admitted).toBe(false);
  });

  test("sends nobody away for more than a minute", () => {
    const pace = new LoginPace(virtualClock(), 2);
    pace.enter();

    const times = Array.from({ length: 500 }, () => pace.book());

    expect(Math.max(...times)).toBe(60_000);
  });

  test("frees its places as time passes", async () => {
    const clock = virtualClock();
    const pace = new LoginPace(clock, 10);
    for (let index = 0; index < 100; index++) pace.book();

    expect(pace.book()).toBe(10_100);
    await clock.advance(20_000);

    expect(pace.book()).toBe(100);
  });

  test("spreads the clients of a lost server by their number", () => {
    const pace = new LoginPace(virtualClock());
    expect(pace.returnMs).toBe(0);

    for (let index = 0; index < 10_000; index++) pace.opened({ whenEnded: () => undefined });

    expect(pace.returnMs).toBe((10_000 / LOGINS_PER_SECOND) * 1000);
  });

  test("forgets a session that has ended", async () => {
    const { server } = await sessionPair({ project });
    const pace = new LoginPace(virtualClock(), 2);
    let end: () => void = () => undefined;
    pace.opened({
      whenEnded: (listener) => {
        end = () => listener({ code: "ERR_GOING_AWAY", local: true, detail: "" }, server);
      },
    });
    expect(pace.returnMs).toBe(500);

    end();

    expect(pace.returnMs).toBe(0);
  });

  test("refuses a rate at which nobody could log in", () => {
    expect(() => new LoginPace(virtualClock(), 1)).toThrow(RangeError);
  });
});

test("a server with too many handshakes under way says BUSY and when to come back, and computes nothing", async () => {
  const parts = await sessionPairParts({ project });
  const pace = new LoginPace(parts.clock, 2);
  pace.enter();
  const modules = { ...parts.modules, pace };

  const accepted = acceptSession(parts.connections.server, parts.accepting, modules).catch((e: unknown) => e);
  const refusal = connectSession(parts.connections.client, parts.connecting, modules);

  await expect(refusal).rejects.toMatchObject({ code: "ERR_BUSY", retryAfterMs: 1000 });
  expect(await accepted).toMatchObject({ code: "ERR_BUSY", retryAfterMs: 1000 });
  expect(await parts.connections.client.ended).toMatchObject({ closeCode: 4027 });
});

test("a handshake that is through, or has failed, makes room for the next", async () => {
  const parts = await sessionPairParts({ project });
  const pace = new LoginPace(parts.clock, 2);
  const modules = { pace };
  const stranger = (await testProject()).sites.get("site-1")!;

  await expect(sessionPair({ project, identity: stranger, modules })).rejects.toBeDefined();
  await sessionPair({ project, modules });
  const { client } = await sessionPair({ project, modules });

  expect(client.returnMs).toBe(500); // one session was live, two log-ins a second
});

test("a client that was there first hears with its next tokens how many there are by now", async () => {
  const { crypto, settled } = trackCrypto(webCrypto());
  const clock = virtualClock({ startMs: TEST_EPOCH_MS, settle: settled });
  const pace = new LoginPace(clock, 2);
  const first = await sessionPair({ project, modules: { pace }, crypto, clock });
  first.client.receive({ routes: [] });
  first.server.receive({ routes: [] });
  expect(first.client.returnMs).toBe(0);
  for (let index = 0; index < 7; index++) pace.opened({ whenEnded: () => undefined });

  await clock.advance(9 * 60_000);
  expect(first.client.returnMs).toBe(0);
  await clock.advance(2 * 60_000);

  expect(first.client.returnMs).toBe(4000);
});

test("a client refuses tokens with a time to spread of more than an hour", async () => {
  const server = await hostileServer(project);
  server.session.receive({ routes: [] });
  const token = new Uint8Array(9);
  const body = encode({ client: token, server: token, returnMs: 3_600_001 }, builtInRegistry());
  const header = { type: tokens.type, messageId: new Uint8Array(16), inReplyTo: undefined, scope: undefined };

  await server.sendInner(writeMessage({ ...header, tokenRef: server.tokenRef }, body));
  await server.clock.settle();

  expect(await server.replies()).toEqual(["ERR_MESSAGE_MALFORMED"]);
});

test("a hint that nobody has authenticated puts the next attempt off by a minute at most", async () => {
  const parts = await sessionPairParts({ project });
  const refusal = connectSession(parts.connections.client, parts.connecting, parts.modules);
  parts.connections.server.send(writeError({ code: "ERR_BUSY", retryAfterMs: 3_600_000, detail: "" }));

  await expect(refusal).rejects.toMatchObject({ code: "ERR_BUSY", retryAfterMs: 60_000 });
});

test("a server that goes away says when to come back, each client another time", async () => {
  const parts = await sessionPairParts({ project });
  const pace = new LoginPace(parts.clock, 2);
  const pairs = [];
  for (let index = 0; index < 4; index++) {
    pairs.push(await sessionPair({ project, modules: { pace }, clock: parts.clock }));
  }
  for (const { client } of pairs) client.receive({ routes: [] });

  await Promise.all(pairs.map(({ server }) => server.close("ERR_GOING_AWAY", "the server stops")));

  const ends = await Promise.all(pairs.map(({ client }) => client.ended));
  expect(ends.map(({ retryAfterMs }) => retryAfterMs)).toEqual([1000, 1000, 1500, 2000]);
  expect(ends[0]).toMatchObject({ code: "ERR_GOING_AWAY", local: false, detail: "the server stops" });
});

test("a time that the caller names is the one that is told", async () => {
  const { client, server } = await sessionPair({ project });
  client.receive({ routes: [] });

  await server.close("ERR_BUSY", "no room", 42_000);

  expect(await client.ended).toMatchObject({ code: "ERR_BUSY", retryAfterMs: 42_000 });
  await expect(client.send(note, { text: "x" })).rejects.toMatchObject({ retryAfterMs: 42_000 });
});

test("a client that goes names no time, and other codes have none", async () => {
  const first = await sessionPair({ project });
  first.server.receive({ routes: [] });
  await first.client.close("ERR_GOING_AWAY");
  expect((await first.server.ended).retryAfterMs).toBeUndefined();
  const second = await sessionPair({ project });
  second.client.receive({ routes: [] });
  await second.server.close("ERR_SUPERSEDED");

  expect((await second.client.ended).retryAfterMs).toBeUndefined();
});

test("the refusal of a message says when to try again", async () => {
  const client = await hostileClient(project, {
    routes: [
      on(note, ({ text }) => {
        throw new WireError(text === "named" ? "ERR_BUSY" : "ERR_RATE_LIMITED", "later", {
          retryAfterMs: text === "named" ? 7000 : undefined,
        });
      }),
    ],
  });

  await client.sendInner(client.message("named"));
  await client.sendInner(client.message("usual"));

  expect(await client.replies()).toMatchObject([
    { code: "ERR_BUSY", retryAfterMs: 7000 },
    { code: "ERR_RATE_LIMITED", retryAfterMs: 5000 },
  ]);
});

test("refused messages take no places in the row of those who come back", async () => {
  const pace = new LoginPace(virtualClock(), 2);
  const client = await hostileClient(
    project,
    {
      routes: [
        on(note, () => {
          throw new WireError("ERR_RATE_LIMITED", "later");
        }),
      ],
    },
    { modules: { pace } },
  );

  for (let index = 0; index < 50; index++) await client.sendInner(client.message());

  expect(await client.replies()).toHaveLength(50);
  expect(pace.book()).toBe(500);
});

test("a time of more than an hour is written as an hour", () => {
  const frame = readFrame(writeError({ code: "ERR_BUSY", retryAfterMs: 1e9, detail: "" }));

  expect([...frame.header.slice(-6, -1)]).toEqual([0xce, 0x00, 0x36, 0xee, 0x80]);
});
