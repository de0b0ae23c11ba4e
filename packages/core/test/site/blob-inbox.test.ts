import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bytes, equalBytes, toHex } from "../../src/bytes/index.ts";
import type { Publication } from "../../src/message/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { BlobInbox } from "../../src/site/index.ts";
import { type BlobChunk, bytesSource, ChunkSet, missingFrames, sealBlob } from "../../src/stream/index.ts";
import { seededRandom, trackCrypto, virtualClock } from "../../src/testing/index.ts";

const jobId = "0".repeat(32);
const forever = new AbortController().signal;

async function sealedBlob(length = 200_000) {
  const { crypto, settled } = trackCrypto(webCrypto());
  const clock = virtualClock({ settle: settled });
  const plaintext = seededRandom(length).bytes(length);
  const sealOptions = { project: "test", totalBytes: length, chunkBytes: 65_536 };
  const { blob, key } = await sealBlob(bytesSource(plaintext), sealOptions, { crypto, clock });
  const { root, blobId, chunkBytes, totalBytes, leaves } = blob;
  const publication: Publication = {
    jobId,
    kind: "model",
    version: 1,
    root,
    blobId,
    chunkBytes,
    totalBytes,
    leaves,
    tensors: [],
  };
  const chunks = blob.chunks.map((ciphertext, index): BlobChunk => ({ root, index, ciphertext }));
  return { publication, chunks, plaintext, reference: { root, key }, clock, crypto };
}

async function aBlob(length?: number) {
  const sealed = await sealedBlob(length);
  return { ...sealed, ...anInbox(sealed) };
}

function anInbox({ clock, crypto }: Pick<Awaited<ReturnType<typeof sealedBlob>>, "clock" | "crypto">) {
  const requested: string[] = [];
  const request = (_jobId: string, asked: Bytes): void => {
    requested.push(toHex(asked));
  };
  return { inbox: new BlobInbox({ project: "test", clock, crypto, request }), requested };
}

/** What a server sends to a site that names what it has. */
async function missingOf(inbox: BlobInbox, chunks: readonly BlobChunk[]): Promise<BlobChunk[]> {
  const [held] = inbox.held();
  if (held === undefined) return [...chunks];
  const plan = { chunkBytes: 65_536, totalBytes: 65_536 * chunks.length };
  const frames = missingFrames(
    chunks.map(({ ciphertext }) => ciphertext),
    ChunkSet.fromBitmap(plan, held.received),
  );
  const sent = await Promise.all(Array.from({ length: frames.length }, (_, position) => frames.at(position)));
  return chunks.filter(({ ciphertext }) => sent.includes(ciphertext));
}

describe("the inbox of sealed blobs", () => {
  test("opens a blob whose task came before its chunks, in any order", async () => {
    const { inbox, publication, chunks, plaintext, reference, clock, requested } = await aBlob();
    const opening = inbox.open(jobId, reference, forever);
    await clock.settle();
    inbox.published(publication);
    await clock.settle();

    for (const chunk of chunks.toReversed()) await inbox.chunk(chunk);

    expect(equalBytes((await clock.runUntil(opening)).bytes, plaintext)).toBe(true);
    expect(requested).toEqual([]);
  });

  test("opens a blob whose chunks came before the key did", async () => {
    const { inbox, publication, chunks, plaintext, reference, clock } = await aBlob();
    inbox.published(publication);
    for (const chunk of chunks) await inbox.chunk(chunk);

    expect(equalBytes((await clock.runUntil(inbox.open(jobId, reference, forever))).bytes, plaintext)).toBe(
      true,
    );
  });

  test("keeps no more early chunks than the blob has, each once and of its own length", async () => {
    const { inbox, publication, chunks, plaintext, reference, clock } = await aBlob();
    inbox.published(publication);
    const { root } = reference;
    const [first] = chunks;
    if (first === undefined) throw new RangeError("no chunk");

    for (let index = 0; index < 100; index++) {
      await inbox.chunk({ root, index, ciphertext: new Uint8Array(1_000_000) });
      await inbox.chunk({ ...first, index: 1000 + index });
    }
    for (const chunk of [...chunks, ...chunks]) await inbox.chunk(chunk);

    expect(equalBytes((await clock.runUntil(inbox.open(jobId, reference, forever))).bytes, plaintext)).toBe(
      true,
    );
  });

  test("drops chunks that nobody published, and asks again for a blob of which nothing comes", async () => {
    const { inbox, publication, chunks, plaintext, reference, clock, requested } = await aBlob();
    for (const chunk of chunks) await inbox.chunk(chunk);
    const opening = inbox.open(jobId, reference, forever);

    await clock.advance(20_000);
    expect(requested).toEqual([toHex(reference.root)]);
    inbox.published(publication);
    await clock.settle();
    for (const chunk of chunks) await inbox.chunk(chunk);

    expect(equalBytes((await clock.runUntil(opening)).bytes, plaintext)).toBe(true);
  });

  test("drops an altered chunk and takes the right one later", async () => {
    const { inbox, publication, chunks, plaintext, reference, clock } = await aBlob();
    inbox.published(publication);
    const opening = inbox.open(jobId, reference, forever);
    await clock.settle();
    const [first] = chunks;
    if (first === undefined) throw new RangeError("no chunk");
    const altered = Uint8Array.from(first.ciphertext);
    altered[3] = (altered[3] ?? 0) ^ 1;

    await inbox.chunk({ ...first, ciphertext: altered });
    for (const chunk of chunks) await inbox.chunk(chunk);

    expect(equalBytes((await clock.runUntil(opening)).bytes, plaintext)).toBe(true);
  });

  test("refuses a key that does not open the blob, and a blob of another job", async () => {
    const { inbox, publication, chunks, reference, clock } = await aBlob();
    inbox.published(publication);
    for (const chunk of chunks) await inbox.chunk(chunk);

    const wrongKey = { ...reference, key: new Uint8Array(32) };
    await expect(clock.runUntil(inbox.open(jobId, wrongKey, forever))).rejects.toMatchObject({
      code: "ERR_BLOB_UNREADABLE",
    });
    await expect(clock.runUntil(inbox.open("1".repeat(32), reference, forever))).rejects.toMatchObject({
      code: "ERR_BLOB_UNREADABLE",
    });
  });

  test("asks at once for a blob that was opened before in this session: the server will not send it by itself", async () => {
    const { inbox, publication, chunks, plaintext, reference, clock, requested } = await aBlob();
    inbox.published(publication);
    for (const chunk of chunks) await inbox.chunk(chunk);
    await clock.runUntil(inbox.open(jobId, reference, forever));

    const again = inbox.open(jobId, reference, forever);
    await clock.settle();
    expect(requested).toHaveLength(1);
    for (const chunk of chunks) await inbox.chunk(chunk);

    expect(equalBytes((await clock.runUntil(again)).bytes, plaintext)).toBe(true);
  });

  test("names in a new session what it verified, and needs only the rest of it", async () => {
    const { inbox, publication, chunks, plaintext, reference, clock } = await aBlob();
    const opening = inbox.open(jobId, reference, forever);
    inbox.published(publication);
    await clock.settle();
    expect(inbox.held()).toEqual([]);
    const [first, second, ...others] = chunks;
    if (first === undefined || second === undefined) throw new RangeError("no chunks");
    await inbox.chunk(second);
    const altered = Uint8Array.from(first.ciphertext);
    altered[3] = (altered[3] ?? 0) ^ 1;
    await inbox.chunk({ ...first, ciphertext: altered });

    inbox.renew();

    expect(inbox.held()).toEqual([{ root: reference.root, received: Uint8Array.of(0b10) }]);
    for (const chunk of [first, ...others]) await inbox.chunk(chunk);
    expect(equalBytes((await clock.runUntil(opening)).bytes, plaintext)).toBe(true);
    expect(inbox.held()).toEqual([]);
  });

  test("does not name chunks that came before their key: nobody has verified them", async () => {
    const { inbox, publication, chunks } = await aBlob();
    inbox.published(publication);
    for (const chunk of chunks) await inbox.chunk(chunk);

    expect(inbox.held()).toEqual([]);
  });

  test("over sessions that lose, reorder and alter chunks, each is verified once and the bytes are whole", async () => {
    const session = fc.array(fc.record({ pick: fc.nat(), isAltered: fc.boolean() }), { maxLength: 6 });
    const { publication, chunks, plaintext, reference, clock, crypto } = await sealedBlob(300_000);
    await fc.assert(
      fc.asyncProperty(fc.array(session, { maxLength: 4 }), async (plan) => {
        const { inbox } = anInbox({ clock, crypto });
        const opening = inbox.open(jobId, reference, forever);
        inbox.published(publication);
        await clock.settle();
        const verified = new Array<number>(chunks.length).fill(0);
        let isOpen = false;
        void opening.then(() => {
          isOpen = true;
        });
        for (const lossy of [...plan, undefined]) {
          await clock.settle();
          if (isOpen) break;
          inbox.renew();
          const missing = await missingOf(inbox, chunks);
          const sent = lossy?.map(({ pick, isAltered }) => ({
            chunk: missing.splice(pick % Math.max(1, missing.length), 1)[0],
            isAltered,
          }));
          for (const { chunk, isAltered } of sent ??
            missing.map((each) => ({ chunk: each, isAltered: false }))) {
            if (chunk === undefined) continue;
            const ciphertext = Uint8Array.from(chunk.ciphertext);
            if (isAltered) ciphertext[0] = (ciphertext[0] ?? 0) ^ 1;
            else verified[chunk.index] = (verified[chunk.index] ?? 0) + 1;
            await inbox.chunk({ ...chunk, ciphertext });
          }
        }

        expect(equalBytes((await clock.runUntil(opening)).bytes, plaintext)).toBe(true);
        expect(verified).toEqual(chunks.map(() => 1));
      }),
      { seed: 5, numRuns: 25 },
    );
  });

  test("stops waiting when the signal is aborted", async () => {
    const { inbox, reference, clock } = await aBlob();
    const stop = new AbortController();
    const opening = inbox.open(jobId, reference, stop.signal);
    stop.abort(new Error("enough"));

    await expect(clock.runUntil(opening)).rejects.toThrow("enough");
    expect(clock.pendingTimers).toBe(0);
  });
});
