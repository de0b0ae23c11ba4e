import { expect, test } from "vitest";
import { toHex } from "../../src/bytes/index.ts";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import { sealObject, type VerifiedObject } from "../../src/envelope/index.ts";
import { EnvelopeError } from "../../src/errors/index.ts";
import { OBJECT_TYPES } from "../../src/message/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { on, type Session } from "../../src/session/index.ts";
import {
  type BlobChunk,
  bytesSink,
  bytesSource,
  makeManifest,
  type StreamManifest,
  sealBlob,
} from "../../src/stream/index.ts";
import { type SessionPair, seededRandom, sessionPair, testProject } from "../../src/testing/index.ts";
import { countingCrypto } from "../stream/counting-crypto.ts";
import { note, upload } from "./messages.ts";

const crypto = webCrypto();
const project = await testProject();
const CHUNK = 65_536;
const content = seededRandom(5).bytes(5 * CHUNK + 3);

async function aManifest(pair: SessionPair, bytes = content): Promise<StreamManifest> {
  const options = { totalBytes: bytes.length, chunkBytes: CHUNK };
  return await makeManifest(bytesSource(bytes), options, { crypto, clock: pair.clock });
}

/** A server that takes every upload, and what it got. */
function receiving(server: Session): { received: string[]; faults: unknown[] } {
  const received: string[] = [];
  const faults: unknown[] = [];
  server.receive({
    routes: [
      on(upload, async ({ manifest }, _, session) => {
        const { sink, bytes } = bytesSink(manifest.totalBytes);
        try {
          await session.acceptStream(manifest, sink);
          received.push(toHex(bytes));
        } catch (error) {
          faults.push(error);
        }
      }),
      on(note, ({ text }) => void received.push(text)),
    ],
  });
  return { received, faults };
}

test("a stream goes under credit, its manifest in a signed message before it", async () => {
  const pair = await sessionPair({ project, server: { limits: { windowBytes: 2 * CHUNK } } });
  const { received } = receiving(pair.server);
  pair.client.receive({ routes: [] });
  const manifest = await aManifest(pair);

  await pair.client.send(upload, { manifest });
  await pair.client.sendStream(manifest, bytesSource(content));
  await pair.clock.settle();

  expect(received).toEqual([toHex(content)]);
});

test("an update costs its sender one signature, one hash and one encryption of each chunk", async () => {
  const counting = countingCrypto(crypto);
  const pair = await sessionPair({ project, crypto: counting.crypto });
  receiving(pair.server);
  pair.client.receive({ routes: [] });
  await pair.clock.settle();
  for (const name of Object.keys(counting.counts)) delete counting.counts[name as "sign"];

  const source = bytesSource(content);
  const sizes = { totalBytes: content.length, chunkBytes: CHUNK };
  const manifest = await makeManifest(source, sizes, { crypto: counting.crypto, clock: pair.clock });
  await pair.client.send(upload, { manifest });
  await pair.client.sendStream(manifest, source);
  await pair.clock.settle();

  // Sender: 6 leaves, root, body. Receiver: body, root, 6 leaves. Frames: manifest, 6 chunks, 1 credit.
  expect(counting.counts).toEqual({
    randomBytes: 2,
    sign: 1,
    verify: 1,
    sha256: 16,
    aesGcmSeal: 8,
    aesGcmOpen: 8,
  });
});

test("control messages pass a stream, and two streams take turns", async () => {
  const pair = await sessionPair({ project });
  const order: string[] = [];
  pair.server.receive({
    routes: [
      on(upload, async ({ manifest }, { scope }, session) => {
        const sink = { write: (offset: number) => void order.push(`${scope} ${offset / CHUNK}`) };
        void session.acceptStream(manifest, sink);
      }),
      on(note, () => void order.push("note")),
    ],
  });
  pair.client.receive({ routes: [] });
  const [first, second] = [await aManifest(pair), await aManifest(pair)];
  await pair.client.send(upload, { manifest: first }, { scope: "a" });
  await pair.client.send(upload, { manifest: second }, { scope: "b" });
  await pair.clock.settle(); // the credit is there before the streams are

  const sending = [
    pair.client.sendStream(first, bytesSource(content)),
    pair.client.sendStream(second, bytesSource(content)),
  ];
  await pair.client.send(note, { text: "urgent" });
  await Promise.all(sending);
  await pair.clock.settle();

  const chunks = order.filter((each) => each !== "note");
  expect(order.indexOf("note")).toBeLessThan(4);
  expect(chunks.slice(0, 4)).toEqual(["a 0", "b 0", "a 1", "b 1"]);
  expect(chunks).toHaveLength(12);
});

test("a stream with a chunk that was not signed fails at the receiver, and the session goes on", async () => {
  const pair = await sessionPair({ project });
  const { received, faults } = receiving(pair.server);
  pair.client.receive({ routes: [] });
  const manifest = await aManifest(pair);
  const other = Uint8Array.from(content);
  other[2 * CHUNK]! ^= 1;

  await pair.client.send(upload, { manifest });
  await pair.client.sendStream(manifest, bytesSource(other));
  await pair.client.send(note, { text: "still here" });
  await pair.clock.settle();

  expect(faults).toMatchObject([{ code: "ERR_DIGEST_MISMATCH" }]);
  expect(received).toEqual(["still here"]);
});

test("a manifest that the receiver does not take leaves the session alive", async () => {
  const pair = await sessionPair({ project, server: { limits: { streamBytes: 1000 } } });
  const { faults } = receiving(pair.server);
  pair.client.receive({ routes: [] });

  await pair.client.send(upload, { manifest: await aManifest(pair) });
  await pair.clock.settle();

  expect(faults).toMatchObject([{ code: "ERR_STREAM_REFUSED" }]);
  expect(pair.server.signal.aborted).toBe(false);
});

test("stopping either end of a stream by its signal leaves the session alive", async () => {
  const pair = await sessionPair({ project, server: { limits: { windowBytes: CHUNK } } });
  const stop = new AbortController();
  const outcomes: unknown[] = [];
  const got: string[] = [];
  pair.server.receive({
    routes: [
      on(upload, ({ manifest }, _, session) => {
        const sink = { write: () => void stop.abort(new Error("enough")) };
        session.acceptStream(manifest, sink, stop.signal).catch((error: unknown) => outcomes.push(error));
      }),
      on(note, ({ text }) => void got.push(text)),
    ],
  });
  pair.client.receive({ routes: [] });
  const manifest = await aManifest(pair);
  await pair.client.send(upload, { manifest });
  const leave = new AbortController();
  const sending = pair.client.sendStream(manifest, bytesSource(content), leave.signal);
  await pair.clock.settle();
  leave.abort(new Error("told to stop"));

  await expect(sending).rejects.toThrow("told to stop");
  await pair.client.send(note, { text: "next" });
  await pair.clock.settle();

  expect(outcomes).toMatchObject([{ message: "enough" }]);
  expect(got).toEqual(["next"]);
});

test("the end of the session ends both ends of a stream", async () => {
  const pair = await sessionPair({ project, server: { limits: { windowBytes: CHUNK } } });
  const { faults } = receiving(pair.server);
  pair.client.receive({ routes: [] });
  const manifest = await aManifest(pair);
  await pair.client.send(upload, { manifest });
  const stalled = { read: () => new Promise<Uint8Array<ArrayBuffer>>(() => undefined) };
  const sending = pair.client.sendStream(manifest, stalled);
  await pair.clock.settle();

  pair.connections.cut();

  await expect(sending).rejects.toMatchObject({ code: "ERR_CONNECTION_LOST" });
  await pair.clock.settle();
  expect(faults).toMatchObject([{ code: "ERR_CONNECTION_LOST" }]);
});

test("a source that hangs does not keep its session from closing", async () => {
  const pair = await sessionPair({ project });
  receiving(pair.server);
  pair.client.receive({ routes: [] });
  const manifest = await aManifest(pair);
  await pair.client.send(upload, { manifest });
  let asked = 0;
  const hanging = {
    read: () => {
      asked += 1;
      return new Promise<Uint8Array<ArrayBuffer>>(() => undefined);
    },
  };
  const sending = pair.client.sendStream(manifest, hanging).catch((error: unknown) => error);
  await pair.clock.settle();

  const closing = pair.client.close("ERR_GOING_AWAY");
  await pair.clock.advance(5000);
  await closing;

  expect(asked).toBe(1);
  expect(await pair.client.ended).toMatchObject({ code: "ERR_GOING_AWAY", local: true });
  expect(await sending).toMatchObject({ code: "ERR_GOING_AWAY" });
});

test("a sealed blob goes outside SESSION, the same bytes to every socket", async () => {
  const pairs = [await sessionPair({ project, transport: { record: true } })];
  pairs.push(await sessionPair({ project, transport: { record: true } }));
  const clock = pairs[0]!.clock;
  const options = { project: "test", totalBytes: content.length, chunkBytes: CHUNK };
  const { blob } = await sealBlob(bytesSource(content), options, { crypto, clock });
  const got: BlobChunk[][] = [[], []];
  for (const [index, { client, server }] of pairs.entries()) {
    client.receive({ routes: [], onBlobChunk: (chunk) => void got[index]?.push(chunk) });
    await server.sendBlob(blob);
  }
  for (const pair of pairs) await pair.clock.settle();

  expect(got.map((chunks) => chunks.map(({ index }) => index))).toEqual([
    [0, 1, 2, 3, 4, 5],
    [0, 1, 2, 3, 4, 5],
  ]);
  for (const { connections } of pairs) {
    const sent = connections.sentByServer.slice(-6);
    expect(sent.every((frame, index) => frame === blob.frames[index])).toBe(true); // the very same memory
  }
});

test("a chunk of a blob that its handler refuses is dropped, and the session goes on", async () => {
  const pair = await sessionPair({ project });
  let calls = 0;
  pair.client.receive({
    routes: [],
    onBlobChunk: () => {
      calls += 1;
      throw new EnvelopeError("ERR_DIGEST_MISMATCH", "not the published one");
    },
  });
  pair.server.receive({ routes: [] });
  const options = { project: "test", totalBytes: content.length, chunkBytes: CHUNK };
  const { blob } = await sealBlob(bytesSource(content), options, { crypto, clock: pair.clock });

  await pair.server.sendBlob(blob);
  await pair.clock.settle();

  expect(calls).toBe(6);
  expect([pair.client.signal.aborted, pair.server.signal.aborted]).toEqual([false, false]);
});

test("a blob that nobody expects ends the session", async () => {
  const pair = await sessionPair({ project });
  pair.server.receive({ routes: [] });
  pair.client.receive({ routes: [] });
  const options = { project: "test", totalBytes: content.length };
  const { blob } = await sealBlob(bytesSource(content), options, { crypto, clock: pair.clock });

  await pair.client.sendBlob(blob);
  await pair.clock.settle();

  expect(await pair.server.ended).toMatchObject({ code: "ERR_FRAME_MALFORMED", local: true });
});

test("an object of the peer needs no chain; a relayed one brings its signer's chain once", async () => {
  const pair = await sessionPair({ project, transport: { record: true } });
  const lead = project.users.get("lead@example.org")!;
  const objects: VerifiedObject[] = [];
  pair.client.receive({ routes: [], onObject: (object) => void objects.push(object) });
  const payload = encode({ hello: 1 }, builtInRegistry());
  const common = { audience: "all", issuedAt: pair.clock.now(), lifetimeMs: 60_000, payload };
  const publication = { ...common, objectType: OBJECT_TYPES.publication };
  const job = { ...common, objectType: OBJECT_TYPES.job, scope: "job" };
  const own = await sealObject(publication, { identity: project.server, crypto });
  const relayed = [
    await sealObject(job, { identity: lead, crypto }),
    await sealObject(job, { identity: lead, crypto }),
  ];

  const before = pair.connections.sentByServer.length;
  await pair.server.sendObject(own, project.server.participant.chain);
  for (const object of relayed) await pair.server.sendObject(object, lead.participant.chain);
  await pair.clock.settle();

  expect(objects.map(({ signer }) => signer.name)).toEqual(["hub", "lead@example.org", "lead@example.org"]);
  expect(objects[1]).toMatchObject({ scope: "job", audience: "all", objectType: OBJECT_TYPES.job });
  expect(objects[1]?.bytes).toEqual(relayed[0]);
  expect(pair.connections.sentByServer.length - before).toBe(4); // three objects, one chain
});

test("an object that was handled has no effect again; one whose handler failed is taken again", async () => {
  const pair = await sessionPair({ project });
  let calls = 0;
  const replies: string[] = [];
  pair.client.receive({
    routes: [],
    onObject: () => {
      calls += 1;
      if (calls === 1) throw new TypeError("not ready");
    },
  });
  pair.server.receive({ routes: [], onRefused: ({ code }) => void replies.push(code) });
  const payload = encode(1, builtInRegistry());
  const content = { objectType: 2, audience: "all", issuedAt: pair.clock.now(), lifetimeMs: 60_000, payload };
  const object = await sealObject(content, { identity: project.server, crypto });

  await pair.server.sendObject(object, []);
  await pair.clock.settle();

  expect(calls).toBe(1);
  expect(await pair.client.ended).toMatchObject({ code: "ERR_INTERNAL" });
  expect(replies).toEqual([]);
});
