import { nodeCrypto } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { ChainCache } from "../../src/pki/index.ts";
import { acceptSession, connectSession, on } from "../../src/session/index.ts";
import { bytesSink, bytesSource, makeManifest } from "../../src/stream/index.ts";
import { seededRandom, sessionPairParts, testProject, virtualClock } from "../../src/testing/index.ts";
import { order, upload } from "./messages.ts";

// In Node only: the synchronous provider is Node's. The simulator stands on this: no promise of a session leaves the
// microtask queue, so everything that needs no time happens before the next turn of the event loop.

const crypto = nodeCrypto();
const clock = virtualClock();
const project = await testProject({ crypto, clock });

/** Lets microtasks run, and nothing else. */
async function microtasks(): Promise<void> {
  for (let turn = 0; turn < 5000; turn++) await Promise.resolve();
}

test("handshake, messages, a stream and the end need no turn of the event loop", async () => {
  const parts = await sessionPairParts({ project, crypto, clock, modules: { chainCache: new ChainCache() } });
  const { connections, connecting, accepting, modules } = parts;
  const warm = await sessionPairParts({ project, crypto, clock, modules });
  await Promise.all([
    connectSession(warm.connections.client, warm.connecting, modules),
    acceptSession(warm.connections.server, warm.accepting, modules),
  ]); // the certificates are parsed and known from here on
  const trace: string[] = [];
  const content = seededRandom(9).bytes(300_000);

  const run = async (): Promise<void> => {
    const [client, server] = await Promise.all([
      connectSession(connections.client, connecting, modules),
      acceptSession(connections.server, accepting, modules),
    ]);
    trace.push("open");
    server.receive({
      routes: [
        on(order, async (_, { messageId }, session) => {
          await session.send(order, { text: "done" }, { inReplyTo: messageId });
        }),
        on(upload, async ({ manifest }, _, session) => {
          await session.acceptStream(manifest, bytesSink(manifest.totalBytes).sink);
          trace.push("stream");
          await session.close("ERR_GOING_AWAY");
        }),
      ],
    });
    client.receive({ routes: [on(order, ({ text }) => void trace.push(text))] });
    await client.send(order, { text: "do" });
    const sizes = { totalBytes: content.length, chunkBytes: 65_536 };
    const manifest = await makeManifest(bytesSource(content), sizes, { crypto, clock });
    await client.send(upload, { manifest });
    await client.sendStream(manifest, bytesSource(content));
    trace.push((await client.ended).code);
  };
  void run();
  await microtasks();

  expect(trace).toEqual(["open", "done", "stream", "ERR_GOING_AWAY"]);
});

test("a session of the synchronous provider costs what it must: counts", async () => {
  const counts: Record<string, number> = {};
  const counting = new Proxy(crypto, {
    get(target, property: keyof typeof crypto) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        counts[property] = (counts[property] ?? 0) + 1;
        return Reflect.apply(member, target, args);
      };
    },
  });
  const chainCache = new ChainCache();
  const modules = { crypto: counting, clock, chainCache };
  for (let session = 0; session < 2; session++) {
    for (const name of Object.keys(counts)) delete counts[name];
    const { connections, connecting, accepting } = await sessionPairParts({ project, crypto, clock });
    await Promise.all([
      connectSession(connections.client, connecting, modules),
      acceptSession(connections.server, accepting, modules),
    ]);
  }

  // Both sides, with known chains: one signature each for the handshake, two tokens; each is verified once.
  expect(counts).toMatchObject({ sign: 4, verify: 4, agree: 6, generateAgreementKey: 4 });
});
