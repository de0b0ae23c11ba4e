import { KeyObject } from "node:crypto";
import { once } from "node:events";
import { queryObjects } from "node:v8";
import { ChainCache } from "@photinus/core/pki";
import { acceptSession, connectSession, type Session } from "@photinus/core/session";
import { sessionPairParts, TEST_EPOCH_MS, testProject, virtualClock } from "@photinus/core/testing";
import { nodeCrypto, SUBPROTOCOL, webSocketConnection } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { KeyObjects, NodeVerifyingKey } from "../src/node-verifying-key.ts";
import { socketServer } from "./loopback.ts";

// What a process holds by the thousand when thousands of sessions are idle, counted after a full collection.

const crypto = nodeCrypto();
const clock = virtualClock({ startMs: TEST_EPOCH_MS });
const project = await testProject({ crypto, clock, sites: ["clinic-a"], users: [] });
const chainCache = new ChainCache();

type Pair = readonly [Session, Session];

/** Opens sessions over real sockets; both ends are in this process. */
async function opener(): Promise<(count: number) => Promise<readonly Pair[]>> {
  const { url, accept } = await socketServer();
  const { connecting, accepting } = await sessionPairParts({ project, crypto, clock });
  const modules = { crypto, clock, chainCache };
  const open = async (): Promise<Pair> => {
    const client = new WebSocket(url, SUBPROTOCOL);
    const [server] = await Promise.all([accept(), once(client, "open")]);
    const pair = await Promise.all([
      connectSession(webSocketConnection(client, { isClient: true }), connecting, modules),
      acceptSession(webSocketConnection(server), accepting, modules),
    ]);
    for (const session of pair) session.receive({ routes: [] });
    return pair;
  };
  return async (count) => {
    const pairs: Pair[] = [];
    while (pairs.length < count) pairs.push(await open());
    return pairs;
  };
}

/** Turns until what a finished handshake still has to do is done. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await clock.yield();
}

function held(): Readonly<Record<string, number>> {
  return {
    keyObjects: queryObjects(KeyObject, { format: "count" }),
    abortControllers: queryObjects(AbortController, { format: "count" }),
    timers: clock.pendingTimers,
  };
}

test("a further idle session holds one timer, and no key object or abort controller", async () => {
  const open = await opener();
  const pairs = [...(await open(4))];
  await settle();
  const before = held();

  pairs.push(...(await open(8)));
  await settle();
  const after = held();

  const more = Object.fromEntries(
    Object.keys(before).map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)]),
  );
  expect(more).toEqual({ keyObjects: 0, abortControllers: 0, timers: 16 });
  expect(pairs).toHaveLength(12);
});

test("the key objects of those who verified last are kept, of two generations at most", async () => {
  const keyObjects = new KeyObjects(2);
  const keys: NodeVerifyingKey[] = [];
  for (let index = 0; index < 5; index++) {
    keys.push(new NodeVerifyingKey((await crypto.generateSigningKey(1)).publicKey, 1));
  }
  const [first, ...others] = keys;
  if (first === undefined) throw new RangeError("no key");

  const kept = keyObjects.of(first);
  for (const key of others) {
    keyObjects.of(key);
    expect(keyObjects.of(first)).toBe(kept); // whoever is asked for stays
  }

  expect(keyObjects.size).toBeLessThanOrEqual(4);
});
