import { expect, test } from "vitest";
import { toHex } from "../../src/bytes/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import {
  bytesSink,
  bytesSource,
  IncomingStream,
  makeManifest,
  OutgoingStream,
  readChunk,
  readCredit,
  type StreamManifest,
  type StreamSink,
  writeChunk,
  writeCredit,
} from "../../src/stream/index.ts";
import { afterMicrotasks, seededRandom, virtualClock } from "../../src/testing/index.ts";
import { readFrame } from "../../src/wire/index.ts";

const crypto = webCrypto();
const CHUNK = 65_536;
const content = seededRandom(3).bytes(6 * CHUNK + 5);
const manifest: StreamManifest = await makeManifest(
  bytesSource(content),
  { totalBytes: content.length, chunkBytes: CHUNK },
  { crypto, clock: virtualClock() },
);
const chunkAt = (index: number) => ({
  streamId: manifest.streamId,
  index,
  data: content.slice(index * CHUNK, (index + 1) * CHUNK),
});

function receiving(windowBytes: number, sink?: StreamSink) {
  const granted: number[] = [];
  const target = bytesSink(content.length);
  const stream = new IncomingStream(
    manifest,
    { sink: sink ?? target.sink, windowBytes },
    { crypto, clock: virtualClock(), grant: (bytes) => granted.push(bytes) },
  );
  stream.begin();
  return { stream, granted, bytes: target.bytes };
}

const refused = { code: "ERR_STREAM_REFUSED" };
const mismatch = { code: "ERR_DIGEST_MISMATCH" };

test("takes the chunks in any order and writes each at its place", async () => {
  const { stream, bytes } = receiving(content.length);

  for (const index of [5, 0, 6, 2, 4, 1, 3]) stream.take(chunkAt(index));
  await stream.done;

  expect(toHex(bytes)).toBe(toHex(content));
});

test("grants at first the window and never more than the stream has", () => {
  expect(receiving(2 * CHUNK).granted).toEqual([2 * CHUNK]);
  expect(receiving(1e9).granted).toEqual([content.length]);
});

test("a window is at least one chunk, or nothing would ever flow", () => {
  expect(receiving(10).granted).toEqual([CHUNK]);
});

test("sender and receiver come to an end under a small window", async () => {
  const { stream, granted, bytes } = receiving(2 * CHUNK);
  const outgoing = new OutgoingStream(manifest, bytesSource(content));
  let largest = 0;
  while (!outgoing.finished) {
    for (const credit of granted.splice(0)) outgoing.credit(credit);
    let sent = 0;
    while (outgoing.ready) {
      const chunk = await outgoing.take();
      sent += chunk.data.length;
      stream.take(chunk);
    }
    largest = Math.max(largest, sent);
    await afterMicrotasks();
  }
  await stream.done;

  expect(largest).toBeLessThanOrEqual(2 * CHUNK);
  expect(toHex(bytes)).toBe(toHex(content));
});

test("refuses a chunk without credit", () => {
  const { stream } = receiving(CHUNK);
  stream.take(chunkAt(0));

  expect(() => stream.take(chunkAt(1))).toThrow(expect.objectContaining(refused));
});

test("credit is granted again only after the data was written", async () => {
  let release = (): void => undefined;
  const written = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { stream, granted } = await new Promise<ReturnType<typeof receiving>>((resolve) => {
    const write = (): Promise<void> => {
      resolve(receiver);
      return written;
    };
    const receiver = receiving(CHUNK, { write });
    receiver.stream.take(chunkAt(0));
  });
  await afterMicrotasks();
  expect(granted).toEqual([CHUNK]);

  release();
  await afterMicrotasks();

  expect(granted).toEqual([CHUNK, CHUNK]);
  expect(() => stream.take(chunkAt(2))).not.toThrow();
});

test("a chunk with another content than was signed fails the stream and is not written", async () => {
  const { stream, bytes } = receiving(content.length);
  const data = chunkAt(1).data;
  data[9]! ^= 1;
  stream.take({ ...chunkAt(1), data });

  await expect(stream.done).rejects.toMatchObject(mismatch);
  expect(bytes.every((byte) => byte === 0)).toBe(true);
});

test.for([
  ["an index that the manifest lacks", () => ({ ...chunkAt(0), index: 7 })],
  ["another length", () => ({ ...chunkAt(0), data: content.slice(0, 10) })],
  ["the last chunk's length in the middle", () => ({ ...chunkAt(6), index: 1 })],
] as const)("a chunk with %s fails the stream", async ([, chunk]) => {
  const { stream } = receiving(content.length);
  stream.take(chunk());

  await expect(stream.done).rejects.toMatchObject(refused);
});

test("a chunk that comes twice fails the stream", async () => {
  const { stream } = receiving(2 * content.length);
  stream.take(chunkAt(0));
  stream.take(chunkAt(0));

  await expect(stream.done).rejects.toMatchObject(refused);
});

test("a failed stream ignores what still comes under credit, and refuses more", async () => {
  const { stream } = receiving(2 * CHUNK);
  stream.fail(new Error("stopped"));

  stream.take(chunkAt(0));
  expect(stream.spent).toBe(false);
  stream.take(chunkAt(1));

  expect(stream.spent).toBe(true);
  expect(() => stream.take(chunkAt(2))).toThrow(expect.objectContaining(refused));
  await expect(stream.done).rejects.toThrow("stopped");
});

test("a sink that throws fails the stream", async () => {
  const { stream } = receiving(content.length, {
    write: () => {
      throw new Error("disk full");
    },
  });
  stream.take(chunkAt(0));

  await expect(stream.done).rejects.toThrow("disk full");
});

test("a sender refuses credit beyond the stream", () => {
  const outgoing = new OutgoingStream(manifest, bytesSource(content));

  expect(() => outgoing.credit(content.length + 1)).toThrow(expect.objectContaining(refused));
});

test("a CHUNK frame is [streamId, index, length] and the data", () => {
  const frame = readFrame(writeChunk(chunkAt(6)));

  expect(readChunk(frame)).toEqual(chunkAt(6));
  expect(() => readChunk({ ...frame, payload: frame.payload.subarray(1) })).toThrow(
    expect.objectContaining(refused),
  );
});

test("a CREDIT frame is [streamId, bytes] and nothing else", () => {
  const frame = readFrame(writeCredit(manifest.streamId, 77));

  expect(readCredit(frame)).toEqual({ streamId: manifest.streamId, bytes: 77 });
  expect(() => readCredit({ ...frame, payload: new Uint8Array(1) })).toThrow(
    expect.objectContaining(refused),
  );
  expect(() => readCredit(readFrame(writeCredit(manifest.streamId, 0)))).toThrow(
    expect.objectContaining({ code: "ERR_DECODE_REFUSED" }),
  );
});
