import { randomUUID } from "node:crypto";
import { type FileHandle, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "@photinus/core/bytes";
import { StorageError } from "@photinus/core/errors";
import type { ScratchFile, ScratchStore } from "@photinus/core/platform";
import { makePrivateFolder } from "./folder.ts";

/**
 * Scratch files in a folder of this server alone. What an earlier process left there is removed: nobody has its keys.
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE`
 */
export async function openScratchFolder(folder: string): Promise<ScratchStore> {
  await available(async () => {
    await makePrivateFolder(folder);
    for (const name of await readdir(folder)) await rm(join(folder, name), { force: true });
  });
  return {
    async open() {
      const path = join(folder, randomUUID());
      return await available(async () => {
        const file = await open(path, "wx+", 0o600);
        return new NodeScratchFile(file, path);
      });
    },
  };
}

class NodeScratchFile implements ScratchFile {
  readonly #file: FileHandle;
  readonly #path: string;
  #closed: Promise<void> | undefined;

  constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  async write(offset: number, bytes: Bytes): Promise<void> {
    await available(async () => {
      for (let written = 0; written < bytes.byteLength; ) {
        const left = bytes.byteLength - written;
        const { bytesWritten } = await this.#file.write(bytes, written, left, offset + written);
        written += bytesWritten;
      }
    });
  }

  async read(offset: number, target: Bytes): Promise<void> {
    for (let filled = 0; filled < target.byteLength; ) {
      const left = target.byteLength - filled;
      const { bytesRead } = await available(() => this.#file.read(target, filled, left, offset + filled));
      if (bytesRead === 0) throw new StorageError("ERR_STORAGE_CORRUPT", "a scratch file is too short");
      filled += bytesRead;
    }
  }

  close(): Promise<void> {
    this.#closed ??= available(async () => {
      await this.#file.close();
      await rm(this.#path, { force: true });
    });
    return this.#closed;
  }
}

async function available<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError("ERR_STORAGE_UNAVAILABLE", `scratch space refuses: ${text}`, { cause });
  }
}
