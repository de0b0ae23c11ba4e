import { expect, test } from "vitest";
import { concatBytes, toHex } from "../../src/bytes/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import {
  type BlobChunk,
  BlobOpener,
  bytesSink,
  bytesSource,
  type OpenBlobOptions,
  openBlob,
  readBlobChunk,
  restoreBlob,
  sealBlob,
} from "../../src/stream/index.ts";
import { seededRandom, virtualClock } from "../../src/testing/index.ts";
import { readFrame } from "../../src/wire/index.ts";
import { countingCrypto } from "./counting-crypto.ts";

const crypto = webCrypto();
const CHUNK = 65_536;
const content = seededRandom(4).bytes(2 * CHUNK + 100);
const options = { project: "mnist", totalBytes: content.length, chunkBytes: CHUNK };
const modules = { crypto, clock: virtualClock() };
const { blob, key } = await sealBlob(bytesSource(content), options, modules);

async function anOpener(change: Partial<OpenBlobOptions> = {}) {
  const { sink, bytes } = bytesSink(content.length);
  const opener = await BlobOpener.create(
    { description: blob, key, project: "mnist", sink, ...change },
    { crypto },
  );
  return { opener, bytes };
}

const chunkAt = (index: number): BlobChunk => ({
  root: blob.root,
  index,
  ciphertext: Uint8Array.from(blob.chunks[index]!),
});
const mismatch = { code: "ERR_DIGEST_MISMATCH" };
const unreadable = { code: "ERR_BLOB_UNREADABLE" };

test("opens from its BLOB frames in any order", async () => {
  const { opener, bytes } = await anOpener();

  for (const frame of [2, 0, 1].map((index) => blob.frames[index]!)) {
    expect(opener.complete).toBe(false);
    expect(await opener.accept(readBlobChunk(readFrame(frame)))).toBe(true);
  }

  expect(opener.complete).toBe(true);
  expect(toHex(bytes)).toBe(toHex(content));
});

test("opens at once, and again when restored from its ciphertext", async () => {
  for (const each of [blob, restoreBlob(blob, concatBytes(...blob.chunks))]) {
    const { sink, bytes } = bytesSink(content.length);
    await openBlob(each, { description: blob, key, project: "mnist", sink }, { crypto });
    expect(toHex(bytes)).toBe(toHex(content));
    expect(each.frames.map(toHex)).toEqual(blob.frames.map(toHex));
  }
  expect(() => restoreBlob(blob, new Uint8Array(5))).toThrow(RangeError);
});

test("is encrypted once and hashed once, however many read it", async () => {
  const counting = countingCrypto(crypto);

  await sealBlob(bytesSource(content), options, { ...modules, crypto: counting.crypto });

  expect(counting.counts).toEqual({ aesGcmSeal: 3, sha256: 4, importAesGcmKey: 1, randomBytes: 2 });
});

test("its chunks are views into its frames, so it is in memory once", () => {
  for (const [index, frame] of blob.frames.entries()) {
    expect(blob.chunks[index]?.buffer).toBe(frame.buffer);
  }
});

test("two blobs of the same content share neither key nor ciphertext", async () => {
  const other = await sealBlob(bytesSource(content), options, modules);

  expect(toHex(other.key)).not.toBe(toHex(key));
  expect(toHex(other.blob.root)).not.toBe(toHex(blob.root));
});

test("refuses an altered chunk before it is decrypted, and takes the right one afterwards", async () => {
  const { opener, bytes } = await anOpener();
  const altered = chunkAt(1);
  altered.ciphertext[50]! ^= 1;

  await expect(opener.accept(altered)).rejects.toMatchObject(mismatch);
  expect(bytes.every((byte) => byte === 0)).toBe(true);
  expect(await opener.accept(chunkAt(1))).toBe(true);
});

test.for([
  ["an index that was not published", { index: 3 }],
  ["another place", { index: 1 }],
  ["another length", { ciphertext: new Uint8Array(5) }],
] as const)("refuses a chunk with %s", async ([, change]) => {
  const { opener } = await anOpener();

  await expect(opener.accept({ ...chunkAt(0), ...change })).rejects.toMatchObject(mismatch);
});

test("ignores a chunk of another blob and one that it has", async () => {
  const { opener } = await anOpener();

  expect(await opener.accept({ ...chunkAt(0), root: new Uint8Array(32) })).toBe(false);
  expect(await opener.accept(chunkAt(0))).toBe(true);
  expect(await opener.accept(chunkAt(0))).toBe(false);
});

test.for([
  ["key", { key: new Uint8Array(32) }],
  ["project", { project: "other" }],
  ["blob id", { description: { ...blob, blobId: new Uint8Array(16) } }],
] as const)("does not open under another %s", async ([, change]) => {
  const { opener } = await anOpener(change);

  await expect(opener.accept(chunkAt(0))).rejects.toMatchObject(unreadable);
});

test("the last chunk cannot stand in for the end of a shorter blob", async () => {
  // Cut to its first chunk, with leaves and root that fit: only the final flag in the AAD tells.
  const short = { totalBytes: CHUNK, leaves: blob.leaves.slice(0, 32) };
  const { rootOf, ciphertextPlan } = await import("../../src/stream/index.ts");
  const description = { ...blob, ...short };
  const root = await rootOf(ciphertextPlan(description), short.leaves, crypto);
  const { opener } = await anOpener({ description: { ...description, root } });

  await expect(opener.accept({ ...chunkAt(0), root })).rejects.toMatchObject(unreadable);
});

test("refuses a publication whose root is not that of its leaves", async () => {
  await expect(anOpener({ description: { ...blob, root: new Uint8Array(32) } })).rejects.toMatchObject(
    mismatch,
  );
  await expect(anOpener({ description: { ...blob, leaves: new Uint8Array(31) } })).rejects.toMatchObject(
    mismatch,
  );
});
