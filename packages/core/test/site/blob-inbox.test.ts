import { describe, expect, test } from "vitest";
import { type Bytes, toHex } from "../../src/bytes/index.ts";
import type { Publication } from "../../src/message/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { BlobInbox } from "../../src/site/index.ts";
import { type BlobChunk, bytesSource, sealBlob } from "../../src/stream/index.ts";
import { seededRandom, trackCrypto, virtualClock } from "../../src/testing/index.ts";

const jobId = "0".repeat(32);
const forever = new AbortController().signal;

async function aBlob(length = 200_000) {
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
  const requested: string[] = [];
  const request = (_jobId: string, asked: Bytes): void => {
    requested.push(toHex(asked));
  };
  const inbox = new BlobInbox({ project: "test", clock, crypto, request });
  return { inbox, publication, chunks, plaintext, reference: { root, key }, clock, requested };
}

describe("the inbox of sealed blobs", () => {
  test("opens a blob whose task came before its chunks, in any order", async () => {
    const { inbox, publication, chunks, plaintext, reference, clock, requested } = await aBlob();
    const opening = inbox.open(jobId, reference, forever);
    await clock.settle();
    inbox.published(publication);
    await clock.settle();

    for (const chunk of chunks.toReversed()) await inbox.chunk(chunk);

    expect((await clock.runUntil(opening)).bytes).toEqual(plaintext);
    expect(requested).toEqual([]);
  });

  test("opens a blob whose chunks came before the key did", async () => {
    const { inbox, publication, chunks, plaintext, reference, clock } = await aBlob();
    inbox.published(publication);
    for (const chunk of chunks) await inbox.chunk(chunk);

    expect((await clock.runUntil(inbox.open(jobId, reference, forever))).bytes).toEqual(plaintext);
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

    expect((await clock.runUntil(inbox.open(jobId, reference, forever))).bytes).toEqual(plaintext);
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

    expect((await clock.runUntil(opening)).bytes).toEqual(plaintext);
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

    expect((await clock.runUntil(opening)).bytes).toEqual(plaintext);
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

    expect((await clock.runUntil(again)).bytes).toEqual(plaintext);
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
