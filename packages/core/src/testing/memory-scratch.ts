import type { Bytes } from "../bytes/index.ts";
import { StorageError } from "../errors/index.ts";
import type { ScratchFile, ScratchStore } from "../platform/index.ts";

/** Scratch space in memory. */
export interface MemoryScratch extends ScratchStore {
  /** What is in the files that are open, in the order in which they were opened. */
  readonly files: readonly Bytes[];
}

/** Scratch space in memory, to look into and to change. */
export function memoryScratch(): MemoryScratch {
  const open = new Set<MemoryScratchFile>();
  return {
    get files() {
      return [...open].map(({ bytes }) => bytes);
    },
    async open() {
      const file = new MemoryScratchFile(() => open.delete(file));
      open.add(file);
      return file;
    },
  };
}

class MemoryScratchFile implements ScratchFile {
  bytes: Bytes = new Uint8Array(0);
  readonly #onClose: () => void;
  #isOpen = true;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  async write(offset: number, bytes: Bytes): Promise<void> {
    this.#requireOpen();
    const length = Math.max(this.bytes.byteLength, offset + bytes.byteLength);
    if (length > this.bytes.byteLength) {
      const grown = new Uint8Array(length);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(bytes, offset);
  }

  async read(offset: number, target: Bytes): Promise<void> {
    this.#requireOpen();
    const part = this.bytes.subarray(offset, offset + target.byteLength);
    if (part.byteLength < target.byteLength)
      throw new StorageError("ERR_STORAGE_CORRUPT", "a scratch file is too short");
    target.set(part);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#onClose();
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw new StorageError("ERR_STORAGE_UNAVAILABLE", "the scratch file was closed");
  }
}
