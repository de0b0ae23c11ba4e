import type { Bytes } from "../bytes/index.ts";

/** Reads that are kept for readers who are a little behind, by what their sockets hold: 4 MiB at 512 KiB each. */
const KEPT_READS = 8;

/** The frames of one read of storage. */
export interface FrameGroup {
  readonly frames: Promise<readonly Bytes[]>;
  /** In which they lie. */
  readonly memory: Bytes;
  /** How many of them are with sockets. */
  out: number;
  isKept: boolean;
}

/**
 * What was last read for sending, over all blobs. The memory of a read serves a later one when it is not kept any more
 * and every socket has sent what it was given of it.
 */
export class FrameCache {
  /** The least used first. */
  readonly #kept = new Map<string, FrameGroup>();
  /** Of groups that nobody uses any more. */
  #spare: Bytes[] = [];

  /**
   * The group of this name, for a socket that sends one frame of it. Its memory serves nobody else before {@link release}.
   * @param byteLength of the memory that `read` gets when the group is not kept
   */
  take(name: string, byteLength: number, read: (memory: Bytes) => Promise<readonly Bytes[]>): FrameGroup {
    const group = this.#kept.get(name) ?? this.#read(name, byteLength, read);
    group.out += 1;
    this.#kept.delete(name);
    this.#kept.set(name, group);
    const [least] = this.#kept;
    if (this.#kept.size > KEPT_READS && least !== undefined) {
      this.#kept.delete(least[0]);
      least[1].isKept = false;
      this.#spareUnused(least[1]);
    }
    return group;
  }

  /** The frame was sent; once for each {@link take}. */
  release(group: FrameGroup): void {
    group.out -= 1;
    this.#spareUnused(group);
  }

  #read(name: string, byteLength: number, read: (memory: Bytes) => Promise<readonly Bytes[]>): FrameGroup {
    this.#spare = this.#spare.filter((memory) => memory.byteLength === byteLength); // another job's chunks
    const memory = this.#spare.pop() ?? new Uint8Array(byteLength);
    const group: FrameGroup = { memory, frames: read(memory), out: 0, isKept: true };
    group.frames.catch(() => {
      if (this.#kept.get(name) === group) this.#kept.delete(name); // the next one tries again
    });
    return group;
  }

  #spareUnused({ out, isKept, memory }: FrameGroup): void {
    if (out === 0 && !isKept && this.#spare.length < KEPT_READS) this.#spare.push(memory);
  }
}
