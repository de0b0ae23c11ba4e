import { describe, expect, test } from "vitest";
import { type Bytes, concatBytes, equalBytes, toHex } from "../../src/bytes/index.ts";
import { CheckpointStore } from "../../src/job/index.ts";
import { type BlobStore, webCrypto } from "../../src/platform/index.ts";
import { BlobOpener, bytesSink, readBlobChunk } from "../../src/stream/index.ts";
import { memoryBlobs, memoryMetadata, seededRandom } from "../../src/testing/index.ts";
import { readFrame } from "../../src/wire/index.ts";
import { countingCrypto } from "../stream/counting-crypto.ts";

const CHUNK = 65_536;
const form = { project: "mnist", chunkBytes: CHUNK };
const content = seededRandom("published").bytes(40 * CHUNK + 5);

function aStore(blobs: BlobStore = memoryBlobs(webCrypto())) {
  const { crypto, counts } = countingCrypto(webCrypto());
  const store = new CheckpointStore(new Uint8Array(32).fill(1), {
    crypto,
    blobs,
    metadata: memoryMetadata(),
  });
  return { store, blobs, counts, crypto };
}

async function allFrames(store: CheckpointStore, name: string): Promise<readonly Bytes[]> {
  const frames = (await store.published(name)).frames();
  const read: Bytes[] = [];
  for (let index = 0; index < frames.length; index++) {
    const frame = await frames.at(index);
    if (frame !== undefined) read.push(frame);
  }
  return read;
}

describe("a blob that is stored as it is published", () => {
  test("comes back as it was, and opens at a reader with the key of its task", async () => {
    const { store, crypto } = aStore();
    const name = await store.putPublished(content, form);
    const { description, key } = await store.published(name);
    const { sink, bytes } = bytesSink(content.byteLength);

    const opener = await BlobOpener.create({ description, key, project: "mnist", sink }, { crypto });
    for (const frame of await allFrames(store, name)) await opener.accept(readBlobChunk(readFrame(frame)));

    expect(opener.complete).toBe(true);
    expect(equalBytes(bytes, content)).toBe(true);
    expect(equalBytes(await store.get(name), content)).toBe(true);
    expect(await store.size(name)).toBe(content.byteLength);
  });

  test("is encrypted once and hashed once, however often it is read", async () => {
    const { store, counts } = aStore();
    const name = await store.putPublished(content, form);
    await allFrames(store, name);
    await allFrames(store, name);

    expect(counts.aesGcmSeal).toBe(41); // one for each chunk
    expect(counts.sha256).toBe(41 + 1); // and one for the root
  });

  test("is on disk what travels: the ciphertext and nothing else", async () => {
    const { store, blobs } = aStore();
    const name = await store.putPublished(content, form);
    const { ciphertextBytes, read } = await store.published(name);
    const chunks: Bytes[] = [];
    for await (const chunk of read()) chunks.push(chunk);

    expect(equalBytes(concatBytes(...chunks), (await blobs.get(name)) ?? new Uint8Array(0))).toBe(true);
    expect(ciphertextBytes).toBe(content.byteLength + 41 * 16);
  });

  test("has the same root and key after a restart", async () => {
    const { store } = aStore();
    const name = await store.putPublished(content, form);
    const [first, second] = [await store.published(name), await store.published(name)];

    expect(toHex(second.description.root)).toBe(toHex(first.description.root));
    expect(toHex(second.key)).toBe(toHex(first.key));
  });

  test("is read in pieces that readers who are equally far share", async () => {
    const inner = memoryBlobs(webCrypto());
    const reads: number[] = [];
    const { store } = aStore({
      ...inner,
      put: (parts) => inner.put(parts),
      get: (digest, range) => {
        reads.push(range?.length ?? 0);
        return inner.get(digest, range);
      },
    });
    const name = await store.putPublished(content, form);
    const blob = await store.published(name);
    const [left, right] = [blob.frames(), blob.frames()];
    for (let index = 0; index < left.length; index++)
      expect(await left.at(index)).toBe(await right.at(index));

    expect(reads).toHaveLength(6); // 8 chunks each
    expect(Math.max(...reads)).toBeLessThanOrEqual(524_288 + 8 * 16);
  });

  test("is read beside the session without its chunks being overwritten by later ones", async () => {
    const { store } = aStore();
    const name = await store.putPublished(content, form);
    const blob = await store.published(name);
    const chunks: Bytes[] = [];
    for await (const chunk of blob.read()) {
      chunks.push(chunk);
      const frames = blob.frames();
      for (let index = 0; index < frames.length; index++) {
        await frames.at(index);
        frames.release?.(index);
      }
    }

    expect(toHex(await webCrypto().sha256(concatBytes(...chunks)))).toBe(name);
  });

  test("is refused when it was not stored so, was deleted, or is under another storage key", async () => {
    const { store } = aStore();
    const unreadable = { code: "ERR_CHECKPOINT_UNREADABLE" };
    await expect(store.published(await store.put(content))).rejects.toMatchObject(unreadable);
    const name = await store.putPublished(content, form);
    const frames = (await store.published(name)).frames();
    await store.rewrap(name, new Uint8Array(32).fill(2));
    await expect(store.published(name)).rejects.toMatchObject(unreadable);
    await store.delete(name);
    await expect(frames.at(0)).rejects.toMatchObject(unreadable);
  });

  test("does not open in another project or with chunks swapped", async () => {
    const { store, crypto } = aStore();
    const name = await store.putPublished(content, form);
    const { description, key } = await store.published(name);
    const { sink } = bytesSink(content.byteLength);
    const [first] = await allFrames(store, name);
    const chunk = readBlobChunk(readFrame(first ?? new Uint8Array(0)));

    const elsewhere = await BlobOpener.create({ description, key, project: "other", sink }, { crypto });
    await expect(elsewhere.accept(chunk)).rejects.toMatchObject({ code: "ERR_BLOB_UNREADABLE" });
    const here = await BlobOpener.create({ description, key, project: "mnist", sink }, { crypto });
    await expect(here.accept({ ...chunk, index: 1 })).rejects.toMatchObject({ code: "ERR_DIGEST_MISMATCH" });
  });
});
