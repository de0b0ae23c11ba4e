import { describe, expect, test } from "vitest";
import { type Bytes, fromUtf8, utf8 } from "../../src/bytes/index.ts";
import { CheckpointStore, SEGMENT_BYTES } from "../../src/job/index.ts";
import { type BlobStore, type MetadataStore, webCrypto } from "../../src/platform/index.ts";
import { memoryBlobs, memoryMetadata, seededRandom } from "../../src/testing/index.ts";

const crypto = webCrypto();
const KEY = new Uint8Array(32).fill(1);
const OTHER_KEY = new Uint8Array(32).fill(2);

function aStore(key: Bytes = KEY, parts?: { blobs: BlobStore; metadata: MetadataStore }) {
  const blobs = parts?.blobs ?? memoryBlobs(crypto);
  const metadata = parts?.metadata ?? memoryMetadata();
  return { blobs, metadata, store: new CheckpointStore(key, { crypto, blobs, metadata }) };
}

const unreadable = { code: "ERR_CHECKPOINT_UNREADABLE" };

describe("a checkpoint", () => {
  test.each([0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES + 17])(
    "of %i bytes comes back as it was",
    async (length) => {
      const { store } = aStore();
      const plaintext = seededRandom(length).bytes(length);

      const name = await store.put(plaintext);

      expect(name).toMatch(/^[0-9a-f]{64}$/);
      expect(await store.size(name)).toBe(length);
      expect(await store.get(name)).toEqual(plaintext);
    },
  );

  test("goes into memory that the caller gives", async () => {
    const { store } = aStore();
    const name = await store.put(utf8("model"));
    const target = new Uint8Array(5);

    expect(await store.get(name, target)).toBe(target);
    expect(fromUtf8(target)).toBe("model");
    await expect(store.get(name, new Uint8Array(4))).rejects.toMatchObject(unreadable);
    await expect(store.get(name, new Uint8Array(6))).rejects.toMatchObject(unreadable);
  });

  test("is ciphertext on disk, under the SHA-256 of the ciphertext, and the key is stored only wrapped", async () => {
    const { store, blobs, metadata } = aStore();
    const plaintext = utf8("a model that nobody may read");

    const name = await store.put(plaintext);

    const stored = await blobs.get(name);
    expect(stored).toHaveLength(plaintext.byteLength + 16);
    expect(fromLatin1(stored)).not.toContain("nobody");
    const [record] = await metadata.list("");
    expect(Object.keys(JSON.parse(fromUtf8(record?.value ?? utf8("{}"))) as object).sort()).toEqual([
      "blobId",
      "size",
      "stateVersion",
      "wrappedKey",
    ]);
  });

  test("is not readable under another storage key", async () => {
    const first = aStore();
    const name = await first.store.put(utf8("model"));

    await expect(aStore(OTHER_KEY, first).store.get(name)).rejects.toMatchObject(unreadable);
  });

  test("is readable under a new storage key once its own key was wrapped anew, and its file stays", async () => {
    const first = aStore();
    const name = await first.store.put(utf8("model"));

    await first.store.rewrap(name, OTHER_KEY);

    expect(fromUtf8(await aStore(OTHER_KEY, first).store.get(name))).toBe("model");
    await expect(first.store.get(name)).rejects.toMatchObject(unreadable);
  });

  test("does not open when a byte of any segment was changed, or segments were exchanged or cut", async () => {
    const first = aStore();
    const plaintext = seededRandom(5).bytes(2 * SEGMENT_BYTES + 100);
    const name = await first.store.put(plaintext);
    const good = (await first.blobs.get(name)) ?? new Uint8Array(0);
    const sealed = SEGMENT_BYTES + 16;
    const changes: readonly ((bytes: Bytes) => Bytes)[] = [
      (bytes) => flip(bytes, 0),
      (bytes) => flip(bytes, sealed + 5),
      (bytes) => flip(bytes, bytes.byteLength - 1),
      (bytes) => {
        const swapped = Uint8Array.from(bytes);
        swapped.set(bytes.subarray(sealed, 2 * sealed), 0);
        swapped.set(bytes.subarray(0, sealed), sealed);
        return swapped;
      },
      (bytes) => bytes.slice(0, 2 * sealed),
    ];

    for (const change of changes) {
      const altered = change(good);
      const blobs: BlobStore = {
        ...first.blobs,
        get: async (_digest, range) => {
          const { offset = 0, length = altered.byteLength } = range ?? {};
          return altered.slice(offset, offset + length);
        },
      };
      await expect(aStore(KEY, { ...first, blobs }).store.get(name)).rejects.toMatchObject(unreadable);
    }
  });

  test("that is missing or was deleted is unreadable, and deleting it again is no error", async () => {
    const { store } = aStore();
    const name = await store.put(utf8("model"));

    await store.delete(name);
    await store.delete(name);

    await expect(store.get(name)).rejects.toMatchObject(unreadable);
  });

  test("has a key and an id of its own: the same model twice is two different files", async () => {
    const { store } = aStore();
    expect(await store.put(utf8("model"))).not.toBe(await store.put(utf8("model")));
  });

  test("needs a storage key of 32 bytes", () => {
    expect(() => aStore(new Uint8Array(16))).toThrow(RangeError);
  });
});

function flip(bytes: Bytes, index: number): Bytes {
  const altered = Uint8Array.from(bytes);
  altered[index] = (altered[index] ?? 0) ^ 1;
  return altered;
}

const fromLatin1 = (bytes: Uint8Array | undefined): string => new TextDecoder("latin1").decode(bytes);
