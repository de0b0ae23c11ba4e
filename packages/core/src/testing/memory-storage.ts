import { type Bytes, concatBytes, toHex } from "../bytes/index.ts";
import { StorageError } from "../errors/index.ts";
import {
  type BlobStore,
  type CryptoProvider,
  type MetadataEntry,
  type MetadataStore,
  requireMetadataKey,
  requireMetadataPrefix,
  requireMetadataValue,
} from "../platform/index.ts";

/** The metadata role in memory. Values are copied in and out, as a disk would. */
export function memoryMetadata(): MetadataStore {
  const entries = new Map<string, MetadataEntry>();
  const requireRevision = (key: string, expected: number | undefined): void => {
    const present = entries.get(key)?.revision;
    if (expected !== undefined && expected !== present) {
      throw new StorageError(
        "ERR_STORAGE_CONFLICT",
        `${key} is at revision ${present ?? "none"}, not ${expected}`,
      );
    }
  };
  const write = (key: string, value: Bytes): number => {
    const revision = (entries.get(key)?.revision ?? 0) + 1;
    entries.set(key, { key, value: Uint8Array.from(value), revision });
    return revision;
  };
  const copy = (entry: MetadataEntry): MetadataEntry => ({ ...entry, value: Uint8Array.from(entry.value) });

  return {
    async get(key) {
      requireMetadataKey(key);
      const entry = entries.get(key);
      return entry === undefined ? undefined : copy(entry);
    },
    async create(key, value) {
      requireMetadataKey(key);
      requireMetadataValue(value);
      if (entries.has(key)) throw new StorageError("ERR_STORAGE_EXISTS", `${key} exists`);
      return write(key, value);
    },
    async put(key, value, expectedRevision) {
      requireMetadataKey(key);
      requireMetadataValue(value);
      requireRevision(key, expectedRevision);
      return write(key, value);
    },
    async delete(key, expectedRevision) {
      requireMetadataKey(key);
      if (!entries.has(key)) return;
      requireRevision(key, expectedRevision);
      entries.delete(key);
    },
    async list(prefix, page) {
      requireMetadataPrefix(prefix);
      const all = [...entries.values()]
        .filter(({ key }) => key.startsWith(prefix))
        .sort((left, right) => (left.key < right.key ? -1 : 1));
      if (page === undefined) return all.map(copy);
      const { before, most } = page;
      const earlier = all.filter(({ key }) => before === undefined || key < before);
      return earlier.reverse().slice(0, most).map(copy);
    },
  };
}

/** The blob role in memory. */
export function memoryBlobs(crypto: CryptoProvider): BlobStore {
  const blobs = new Map<string, Bytes>();
  return {
    async put(parts) {
      const collected: Bytes[] = [];
      for await (const part of parts) collected.push(Uint8Array.from(part)); // its memory may be used again
      const content = concatBytes(...collected);
      const digest = toHex(await crypto.sha256(content));
      blobs.set(digest, content);
      return { digest, size: content.byteLength };
    },
    async get(digest, range) {
      const content = blobs.get(digest);
      if (content === undefined) return undefined;
      const { offset = 0, length = content.byteLength } = range ?? {};
      return content.slice(offset, offset + length);
    },
    size: async (digest) => blobs.get(digest)?.byteLength,
    async delete(digest) {
      blobs.delete(digest);
    },
  };
}
