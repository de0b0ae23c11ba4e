import fc from "fast-check";
import { expect, test } from "vitest";
import { type Bytes, equalBytes } from "../../src/bytes/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import {
  bytesSource,
  ChunkSet,
  IncomingStream,
  makeManifest,
  OutgoingStream,
  type StreamChunk,
} from "../../src/stream/index.ts";
import { afterMicrotasks, seededRandom, virtualClock } from "../../src/testing/index.ts";

const crypto = webCrypto();
const CHUNK = 65_536;
const COUNT = 9;
/** The last chunk is short. */
const content = seededRandom(11).bytes((COUNT - 1) * CHUNK + 77);
const manifest = await makeManifest(
  bytesSource(content),
  { totalBytes: content.length, chunkBytes: CHUNK },
  { crypto, clock: virtualClock() },
);
const refused = { code: "ERR_STREAM_REFUSED" };

/** What a receiver keeps over its sessions, and how often each chunk was written. */
function aStaging() {
  const bytes = new Uint8Array(content.length);
  const received = new ChunkSet(manifest);
  const writes = new Array<number>(COUNT).fill(0);
  const write = (offset: number, data: Bytes): void => {
    const index = offset / CHUNK;
    bytes.set(data, offset);
    received.add(index);
    writes[index] = (writes[index] ?? 0) + 1;
  };
  return { bytes, received, writes, write };
}

type Staging = ReturnType<typeof aStaging>;

/** Both ends of one session of the stream, as the table of streams joins them. */
function aSession({ received, write }: Staging, windowBytes: number) {
  const outgoing = new OutgoingStream(manifest, bytesSource(content));
  const bitmap = received.count > 0 ? received.bitmap() : undefined;
  if (bitmap !== undefined) outgoing.skip(bitmap);
  const credits: number[] = [];
  const incoming = new IncomingStream(
    manifest,
    { sink: { received, write }, windowBytes },
    { crypto, clock: virtualClock(), grant: (bytes) => credits.push(bytes) },
  );
  incoming.begin();
  return { outgoing, incoming, credits };
}

/** Moves all chunks for which there is credit. */
async function sendable({ outgoing, credits }: ReturnType<typeof aSession>): Promise<StreamChunk[]> {
  for (const credit of credits.splice(0)) outgoing.credit(credit);
  const chunks: StreamChunk[] = [];
  while (outgoing.ready) chunks.push(await outgoing.take());
  return chunks;
}

/** One session: what it delivers of each window, in which order, whether a chunk comes twice, and when it is lost. */
const sessions = fc.array(
  fc.record({
    windowChunks: fc.integer({ min: 1, max: COUNT }),
    order: fc.array(fc.nat(), { minLength: COUNT, maxLength: COUNT }),
    delivered: fc.integer({ min: 0, max: COUNT }),
    repeats: fc.boolean(),
  }),
  { maxLength: 5 },
);

const shuffled = <T>(items: readonly T[], order: readonly number[]): T[] =>
  items
    .map((item, index) => ({ item, rank: order[index] ?? 0 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);

test("whatever arrives, in whatever order, twice or not at all: each chunk is written once, and the bytes are whole", async () => {
  await fc.assert(
    fc.asyncProperty(sessions, async (plan) => {
      const staging = aStaging();
      for (const { windowChunks, order, delivered, repeats } of plan) {
        if (staging.received.isComplete) break;
        const session = aSession(staging, windowChunks * CHUNK);
        const arriving = shuffled(await sendable(session), order).slice(0, delivered);
        for (const chunk of arriving) session.incoming.take(chunk);
        const [again] = arriving;
        const has = session.incoming.spent === false && again !== undefined;
        // A chunk that comes twice, where there is credit left for it, fails the session's stream and nothing else.
        if (repeats && has) tryTake(session.incoming, again);
        await settled();
        session.incoming.fail(new Error("the connection was lost"));
      }
      const before = staging.received.count;
      const last = aSession(staging, content.length);
      let resent = 0;
      while (!last.outgoing.finished) {
        const chunks = await sendable(last);
        resent += chunks.length;
        for (const chunk of chunks.reverse()) last.incoming.take(chunk);
        await settled();
      }
      await last.incoming.done;

      expect(resent).toBe(COUNT - before);
      expect(staging.writes).toEqual(new Array(COUNT).fill(1));
      expect(equalBytes(staging.bytes, content)).toBe(true);
    }),
    { numRuns: 300, seed: 3 },
  );
});

function tryTake(incoming: IncomingStream, chunk: StreamChunk): void {
  try {
    incoming.take(chunk);
  } catch (error) {
    expect(error).toMatchObject(refused); // no credit was left: that ends a session
  }
}

/** Digests are on their way for a few turns. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await afterMicrotasks();
}

test("a set of chunks and its bitmap are the same, for every set and every number of chunks", () => {
  fc.assert(
    fc.property(
      fc
        .integer({ min: 1, max: 70 })
        .chain((count) => fc.tuple(fc.constant(count), fc.uniqueArray(fc.nat(count - 1)))),
      ([count, indices]) => {
        const plan = { chunkBytes: CHUNK, totalBytes: (count - 1) * CHUNK + 5 };
        const set = new ChunkSet(plan);
        for (const index of [...indices, ...indices]) set.add(index);

        const copy = ChunkSet.fromBitmap(plan, set.bitmap());

        const sorted = [...indices].sort((a, b) => a - b);
        expect([...copy.indices()]).toEqual(sorted);
        expect(copy.count).toBe(indices.length);
        expect(copy.isComplete).toBe(indices.length === count);
        const length = (index: number): number => (index === count - 1 ? 5 : CHUNK);
        expect(copy.byteLength).toBe(sorted.reduce((sum, index) => sum + length(index), 0));
      },
    ),
    { seed: 4 },
  );
});

test.for([
  ["is too short", new Uint8Array(1)],
  ["is too long", new Uint8Array(3)],
  ["names a chunk beyond the stream", Uint8Array.of(0, 2)],
] as const)("refuses a bitmap that %s", ([, bitmap]) => {
  expect(() => ChunkSet.fromBitmap(manifest, bitmap)).toThrow(expect.objectContaining(refused));
  const outgoing = new OutgoingStream(manifest, bytesSource(content));
  expect(() => outgoing.skip(bitmap)).toThrow(expect.objectContaining(refused));
});

test("what is there is told once, and before credit", () => {
  const twice = new OutgoingStream(manifest, bytesSource(content));
  twice.skip(Uint8Array.of(1, 0));
  expect(() => twice.skip(Uint8Array.of(1, 0))).toThrow(expect.objectContaining(refused));

  const late = new OutgoingStream(manifest, bytesSource(content));
  late.credit(CHUNK);
  expect(() => late.skip(Uint8Array.of(1, 0))).toThrow(expect.objectContaining(refused));
});

test("credit beyond what is missing is refused", () => {
  const outgoing = new OutgoingStream(manifest, bytesSource(content));
  outgoing.skip(Uint8Array.of(0xff, 0));

  expect(() => outgoing.credit(78)).toThrow(expect.objectContaining(refused));
  const exact = new OutgoingStream(manifest, bytesSource(content));
  exact.skip(Uint8Array.of(0xff, 0));
  exact.credit(77);
  expect(exact.ready).toBe(true);
});

test("a chunk that the receiver has, sent all the same, fails the stream and is not written again", async () => {
  const staging = aStaging();
  staging.received.add(2);
  const { incoming } = aSession(staging, content.length);

  incoming.take({ streamId: manifest.streamId, index: 2, data: content.slice(2 * CHUNK, 3 * CHUNK) });

  await expect(incoming.done).rejects.toMatchObject(refused);
  expect(staging.writes[2]).toBe(0);
});

test("a stream of which everything is there is done without credit", async () => {
  const staging = aStaging();
  for (let index = 0; index < COUNT; index++) staging.received.add(index);

  const { incoming, outgoing, credits } = aSession(staging, content.length);
  await incoming.done;

  expect(credits).toEqual([]);
  expect(outgoing.finished).toBe(true);
  expect(incoming.spent).toBe(true);
});
