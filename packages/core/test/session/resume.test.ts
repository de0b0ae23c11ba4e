import { expect, test } from "vitest";
import { equalBytes, fromHex, toHex } from "../../src/bytes/index.ts";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import type { HeldBlob } from "../../src/message/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { on, type Refusal, resume, resumed, type Session, streamResumed } from "../../src/session/index.ts";
import {
  bytesSource,
  ChunkSet,
  makeManifest,
  type StreamManifest,
  type StreamSource,
} from "../../src/stream/index.ts";
import { type SessionPair, seededRandom, sessionPair, testProject } from "../../src/testing/index.ts";
import { upload } from "./messages.ts";

const crypto = webCrypto();
const project = await testProject();
const CHUNK = 65_536;
const COUNT = 5;
const content = seededRandom(6).bytes(COUNT * CHUNK);

/** A server that has the chunks `indices` of what is announced. */
async function taking(
  pair: SessionPair,
  indices: readonly number[],
): Promise<{ done: boolean[]; bytes: Uint8Array }> {
  const bytes = new Uint8Array(content.length);
  const done: boolean[] = [];
  pair.server.receive({
    routes: [
      on(upload, async ({ manifest }, _message, session) => {
        const received = new ChunkSet(manifest);
        for (const index of indices) {
          bytes.set(content.subarray(index * CHUNK, (index + 1) * CHUNK), index * CHUNK);
          received.add(index);
        }
        const write = (offset: number, data: Uint8Array): void => bytes.set(data, offset);
        await session.acceptStream(manifest, { received, write });
        done.push(true);
      }),
    ],
  });
  return { done, bytes };
}

/** A source that tells which chunks were read. */
function watched(): { readonly read: number[]; readonly source: StreamSource } {
  const read: number[] = [];
  const { read: readBytes } = bytesSource(content);
  const source: StreamSource = {
    read: (offset, length) => {
      read.push(offset / CHUNK);
      return readBytes(offset, length);
    },
  };
  return { read, source };
}

const aManifest = (pair: SessionPair): Promise<StreamManifest> =>
  makeManifest(
    bytesSource(content),
    { totalBytes: content.length, chunkBytes: CHUNK },
    { crypto, clock: pair.clock },
  );

test.for([
  [[], [0, 1, 2, 3, 4]],
  [
    [1, 3],
    [0, 2, 4],
  ],
  [[0, 1, 2, 3], [4]],
  [[0, 1, 2, 3, 4], []],
] as const)("of a stream of which chunks %j are there, exactly %j are sent", async ([there, missing]) => {
  const pair = await sessionPair({ project });
  const { done, bytes } = await taking(pair, there);
  pair.client.receive({ routes: [] });
  const manifest = await aManifest(pair);
  const { read, source } = watched();

  const streaming = pair.client.sendStream(manifest, source);
  await pair.client.send(upload, { manifest });
  await pair.clock.runUntil(streaming);
  await pair.clock.settle();

  expect(read).toEqual(missing);
  expect(done).toEqual([true]);
  expect(equalBytes(bytes, content)).toBe(true);
});

test("what is there may be told before the sender begins", async () => {
  const pair = await sessionPair({ project });
  const { done, bytes } = await taking(pair, [0, 4]);
  pair.client.receive({ routes: [] });
  const manifest = await aManifest(pair);
  const { read, source } = watched();

  await pair.client.send(upload, { manifest });
  await pair.clock.settle();
  await pair.client.sendStream(manifest, source);
  await pair.clock.settle();

  expect(read).toEqual([1, 2, 3]);
  expect(done).toEqual([true]);
  expect(equalBytes(bytes, content)).toBe(true);
});

test("a bitmap that is not of the stream is refused, and the session goes on", async () => {
  const pair = await sessionPair({ project });
  const refusals: Refusal[] = [];
  pair.server.receive({ routes: [], onRefused: (refusal) => void refusals.push(refusal) });
  pair.client.receive({ routes: [] });
  const manifest = await aManifest(pair);
  const streaming = pair.client.sendStream(manifest, bytesSource(content), pair.client.signal);
  streaming.catch(() => undefined);

  await pair.server.send(streamResumed, { streamId: manifest.streamId, received: Uint8Array.of(0xff) });
  await pair.clock.settle();

  expect(refusals.map(({ code }) => code)).toEqual(["ERR_STREAM_REFUSED"]);
  expect(pair.client.signal.aborted).toBe(false);
});

test("after a wrong bitmap that came too early the stream can be sent; it does not stay open", async () => {
  const pair = await sessionPair({ project });
  const { done } = await taking(pair, []);
  pair.client.receive({ routes: [] });
  const manifest = await aManifest(pair);
  await pair.server.send(streamResumed, { streamId: manifest.streamId, received: Uint8Array.of(0xff) });
  await pair.clock.settle();
  const refused = pair.client.sendStream(manifest, bytesSource(content));
  await expect(refused).rejects.toMatchObject({ code: "ERR_STREAM_REFUSED" });

  const streaming = pair.client.sendStream(manifest, bytesSource(content));
  await pair.client.send(upload, { manifest });
  await pair.clock.runUntil(streaming);
  await pair.clock.settle();

  expect(done).toEqual([true]);
});

test("only a server says what it has of a stream, and what is resumed", async () => {
  const pair = await sessionPair({ project });
  const refusals: Refusal[] = [];
  pair.client.receive({ routes: [], onRefused: (refusal) => void refusals.push(refusal) });
  const routes = [on(resumed, () => undefined)];
  pair.server.receive({ routes });

  await pair.client.send(streamResumed, { streamId: new Uint8Array(16), received: Uint8Array.of(1) });
  await pair.client.send(resumed, { isResumed: true, acknowledged: [], streams: [] });
  await pair.clock.settle();

  expect(refusals.map(({ code }) => code)).toEqual(["ERR_TYPE_UNKNOWN", "ERR_TYPE_UNKNOWN"]);
});

test("RESUME, its answer and the bitmap are these bytes", () => {
  const registry = builtInRegistry();
  const session = new Uint8Array(32).fill(1);
  const id = new Uint8Array(16).fill(2);
  const hexOf = (body: unknown): string => toHex(encode(body, registry));
  const bin16 = `c410${"02".repeat(16)}`;
  const text = (value: string): string =>
    (0xa0 + value.length).toString(16) + toHex(new TextEncoder().encode(value));

  expect(hexOf(resume.parse({ session, acknowledged: [id] }))).toBe(
    `82${text("acknowledged")}91${bin16}${text("session")}c420${"01".repeat(32)}`,
  );
  expect(hexOf(resume.parse({ acknowledged: [] }))).toBe(`81${text("acknowledged")}90`);
  expect(hexOf(resume.parse({ acknowledged: [], blobs: [aHeldBlob(1)] }))).toBe(
    `82${text("acknowledged")}90${text("blobs")}9182${text("received")}c40100${text("root")}c420${"07".repeat(32)}`,
  );
  expect(
    hexOf(resumed.parse({ isResumed: true, acknowledged: [id], streams: [{ streamId: id, chunks: 3 }] })),
  ).toBe(
    `83${text("acknowledged")}91${bin16}${text("isResumed")}c3${text("streams")}9182${text("chunks")}03${text("streamId")}${bin16}`,
  );
  expect(hexOf(streamResumed.parse({ streamId: id, received: fromHex("0f01") }))).toBe(
    `82${text("received")}c4020f01${text("streamId")}${bin16}`,
  );
  expect([resume.type, resumed.type, streamResumed.type]).toEqual([10, 11, 12]);
});

function aHeldBlob(bitmapBytes: number): HeldBlob {
  return { root: new Uint8Array(32).fill(7), received: new Uint8Array(bitmapBytes) };
}

test.for([
  ["a session id of another length", () => resume.parse({ session: new Uint8Array(31), acknowledged: [] })],
  [
    "too many acknowledged messages",
    () => resume.parse({ acknowledged: new Array(257).fill(new Uint8Array(16)) }),
  ],
  [
    "more blobs than a site may name",
    () => resume.parse({ acknowledged: [], blobs: new Array(9).fill(aHeldBlob(1)) }),
  ],
  [
    "a bitmap of more chunks than a blob may have",
    () => resume.parse({ acknowledged: [], blobs: [aHeldBlob(2049)] }),
  ],
  ["a field that it does not have", () => resume.parse({ acknowledged: [], token: 1 })],
  [
    "a stream without chunks",
    () =>
      resumed.parse({
        isResumed: true,
        acknowledged: [],
        streams: [{ streamId: new Uint8Array(16), chunks: 0 }],
      }),
  ],
  [
    "a bitmap of more chunks than a stream may have",
    () => streamResumed.parse({ streamId: new Uint8Array(16), received: new Uint8Array(2049) }),
  ],
] as const)("refuses %s", ([, parse]) => {
  expect(parse).toThrow(expect.objectContaining({ code: "ERR_MESSAGE_MALFORMED" }));
});

test("a signed message that is sent again has another signature and the same payload digest", async () => {
  const digests: string[] = [];
  const messageId = new Uint8Array(16).fill(9);
  let manifest: StreamManifest | undefined;
  for (let attempt = 0; attempt < 2; attempt++) {
    const pair = await sessionPair({ project });
    const got: Session[] = [];
    pair.server.receive({
      routes: [
        on(upload, (_body, message, session) => {
          got.push(session);
          digests.push(`${toHex(message.messageId)} ${toHex(message.payloadDigest ?? new Uint8Array(0))}`);
        }),
      ],
    });
    pair.client.receive({ routes: [] });
    manifest ??= await aManifest(pair);
    await pair.client.send(upload, { manifest }, { messageId });
    await pair.clock.settle();
    expect(got).toHaveLength(1);
  }

  expect(digests[0]).toBe(digests[1]);
  expect(digests[0]).toMatch(/^(09){16} [0-9a-f]{64}$/);
});
