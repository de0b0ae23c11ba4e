import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, toBytes } from "@photinus/core/bytes";
import { StorageError } from "@photinus/core/errors";
import type { BlobStore } from "@photinus/core/platform";
import { syncFolder } from "./folder.ts";

/** Bytes that one read of a verification takes. */
const READ_BYTES = 1_048_576;

/** Files whose content is known to be right; the oldest are forgotten, and read once more when they are used again. */
const MAX_KNOWN = 10_000;

const TEMPORARY = ".tmp";

/**
 * The blob role in files named by the SHA-256 of their content. A blob appears under its name only when it is whole
 * and synced. Its content is checked against its name when it is first read after a start, and again when the file
 * changed since; parts can then be read without reading the rest.
 */
export class BlobFiles implements BlobStore {
  readonly #folder: string;
  /** Digest to what the file was like when its content was last right. */
  readonly #known = new Map<string, string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder and removes what an interrupted `put` left. */
  static async open(folder: string): Promise<BlobFiles> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) {
      if (name.endsWith(TEMPORARY)) await rm(join(folder, name), { force: true });
    }
    return new BlobFiles(folder);
  }

  async put(
    parts: AsyncIterable<Bytes> | Iterable<Bytes>,
  ): Promise<{ readonly digest: string; readonly size: number }> {
    const temporary = join(this.#folder, `${randomUUID()}${TEMPORARY}`);
    try {
      const written = await writeSynced(temporary, parts);
      await available(async () => {
        await rename(temporary, this.#path(written.digest));
        await syncFolder(this.#folder);
        this.#remember(written.digest, await identityOf(this.#path(written.digest)));
      });
      return written;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async get(
    digest: string,
    range: { readonly offset: number; readonly length?: number } = { offset: 0 },
    target?: Bytes,
  ): Promise<Bytes | undefined> {
    requireRange(range);
    const file = await openIfExists(this.#path(digest));
    if (file === undefined) return undefined;
    try {
      const size = await available(() => this.#requireGenuine(digest, file));
      const start = Math.min(range.offset, size);
      const length = Math.min(range.length ?? size, size - start);
      const bytes = length <= (target?.byteLength ?? 0) ? target?.subarray(0, length) : undefined;
      const read = bytes ?? new Uint8Array(length);
      await available(() => readFully(file, read, start));
      return read;
    } finally {
      await file.close();
    }
  }

  async size(digest: string): Promise<number | undefined> {
    try {
      return (await stat(this.#path(digest))).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw unavailable(error);
    }
  }

  async delete(digest: string): Promise<void> {
    const path = this.#path(digest);
    this.#known.delete(digest);
    await available(async () => {
      await rm(path, { force: true });
      await syncFolder(this.#folder);
    });
  }

  /** @returns the size. @throws StorageError `ERR_STORAGE_CORRUPT` when the content is not that of the name */
  async #requireGenuine(digest: string, file: FileHandle): Promise<number> {
    const { size, mtimeNs, ino } = await file.stat({ bigint: true });
    const identity = `${size} ${mtimeNs} ${ino}`;
    if (this.#known.get(digest) === identity) return Number(size);
    if ((await digestOf(file)) !== digest) {
      throw new StorageError("ERR_STORAGE_CORRUPT", `blob ${digest} holds other bytes than were stored`);
    }
    this.#remember(digest, identity);
    return Number(size);
  }

  #remember(digest: string, identity: string): void {
    this.#known.delete(digest);
    this.#known.set(digest, identity);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }

  /** @throws RangeError for anything but a digest: it becomes a path */
  #path(digest: string): string {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new RangeError("a digest is 64 lower-case hexadecimal digits");
    return join(this.#folder, digest);
  }
}

async function writeSynced(
  path: string,
  parts: AsyncIterable<Bytes> | Iterable<Bytes>,
): Promise<{ readonly digest: string; readonly size: number }> {
  const file = await available(() => open(path, "wx", 0o600));
  try {
    const hash = createHash("sha256");
    let size = 0;
    for await (const part of parts) {
      hash.update(part);
      await available(() => writeFully(file, part, size));
      size += part.byteLength;
    }
    await available(() => file.sync());
    return { digest: hash.digest("hex"), size };
  } finally {
    await file.close();
  }
}

async function writeFully(file: FileHandle, bytes: Bytes, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}

async function readFully(file: FileHandle, target: Bytes, position: number): Promise<void> {
  let done = 0;
  while (done < target.byteLength) {
    const { bytesRead } = await file.read(target, done, target.byteLength - done, position + done);
    if (bytesRead === 0) throw new StorageError("ERR_STORAGE_CORRUPT", "a blob ended while it was read");
    done += bytesRead;
  }
}

async function digestOf(file: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  const buffer = toBytes(new ArrayBuffer(READ_BYTES));
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, position);
    if (bytesRead === 0) return hash.digest("hex");
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

async function identityOf(path: string): Promise<string> {
  const { size, mtimeNs, ino } = await stat(path, { bigint: true });
  return `${size} ${mtimeNs} ${ino}`;
}

async function openIfExists(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unavailable(error);
  }
}

function requireRange({ offset, length }: { readonly offset: number; readonly length?: number }): void {
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (!isCount(offset) || (length !== undefined && !isCount(length))) {
    throw new RangeError("offset and length are integers of at least 0");
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

/** Runs `use` of the disk; what the disk refuses is not the caller's fault. */
async function available<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw error instanceof StorageError ? error : unavailable(error);
  }
}

function unavailable(cause: unknown): StorageError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new StorageError("ERR_STORAGE_UNAVAILABLE", `the blob folder refuses: ${text}`, { cause });
}
