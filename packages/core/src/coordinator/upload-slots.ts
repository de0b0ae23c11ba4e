import type { Bytes } from "../bytes/index.ts";
import type { KernelBuffer, Kernels } from "../kernels/index.ts";

/** A staging buffer, held by one upload. */
export interface UploadSlot {
  /** Exactly as many bytes as were asked for; what an earlier upload left in them is still there. */
  readonly bytes: Bytes;
  /** True while somebody waits for whom no other slot is on its way. */
  readonly isWanted: boolean;
  /** Gives the slot to the next one waiting; idempotent. */
  release(): void;
  /**
   * Leaves what is in the slot there until somebody else needs the slot.
   * @param spill saves it before that; it may overwrite the bytes. What it throws is the end of what was there.
   */
  park(spill: (bytes: Bytes) => Promise<void>): ParkedSlot;
}

/** A slot whose upload is interrupted. */
export interface ParkedSlot {
  /** The slot as it was left; `undefined` when it was, or is being, given to somebody else. */
  reclaim(): UploadSlot | undefined;
  /** What is in it is not needed any more; idempotent. */
  drop(): void;
  /** Settles, never rejects, when what was in it has been spilled or dropped. */
  readonly spilled: Promise<void>;
}

interface Parked {
  readonly spill: () => Promise<void>;
}

interface Waiting {
  readonly byteLength: number;
  readonly give: (slot: UploadSlot) => void;
}

/**
 * K staging slots for all jobs together: so many updates are in memory at once, whatever the number of sites. Who waits
 * is served in turn over the jobs, first come first served within a job. Buffers are used again.
 */
export class UploadSlots {
  readonly #queues = new Map<string, Waiting[]>();
  readonly #kernels: Pick<Kernels, "buffer">;
  readonly #buffers: KernelBuffer[] = [];
  /** The longest interrupted first: it is spilled first. */
  readonly #parked = new Set<Parked>();
  #free: number;
  /** Slots that become free when a spill has ended. */
  #spilling = 0;

  /** @param count K, at least 1 @param kernels where the buffers lie */
  constructor(count: number, kernels: Pick<Kernels, "buffer">) {
    if (!Number.isSafeInteger(count) || count < 1) throw new RangeError("at least one upload slot");
    this.#free = count;
    this.#kernels = kernels;
  }

  /**
   * Waits for a slot.
   * @param jobId whose turn it uses
   * @throws the signal's reason when it is aborted before a slot is free
   */
  acquire(jobId: string, byteLength: number, signal: AbortSignal): Promise<UploadSlot> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        this.#forget(jobId, waiting);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        byteLength,
        give: (slot) => {
          signal.removeEventListener("abort", onAbort);
          resolve(slot);
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#queues.set(jobId, [...(this.#queues.get(jobId) ?? []), waiting]);
      this.#serve();
    });
  }

  /** Lets idle buffers go; for times when no job runs. */
  trim(): void {
    for (const buffer of this.#buffers.splice(0)) buffer.release();
  }

  #serve(): void {
    while (this.#free > 0) {
      const waiting = this.#next();
      if (waiting === undefined) return;
      this.#free -= 1;
      waiting.give(this.#slot(this.#bufferOf(waiting.byteLength), waiting.byteLength));
    }
    for (const parked of [...this.#parked].slice(0, Math.max(0, this.#unserved))) void parked.spill();
  }

  /** Those who wait, less the slots that a spill sets free. */
  get #unserved(): number {
    const waiting = [...this.#queues.values()].reduce((sum, { length }) => sum + length, 0);
    return waiting - this.#spilling;
  }

  /** Saves every interrupted upload: before the process ends. */
  async spillAll(): Promise<void> {
    await Promise.all([...this.#parked].map(({ spill }) => spill()));
  }

  /** The job at the front gives its first and goes to the back. */
  #next(): Waiting | undefined {
    for (const [jobId, [first, ...rest]] of this.#queues) {
      this.#queues.delete(jobId);
      if (rest.length > 0) this.#queues.set(jobId, rest);
      if (first !== undefined) return first;
    }
    return undefined;
  }

  #forget(jobId: string, waiting: Waiting): void {
    const rest = (this.#queues.get(jobId) ?? []).filter((other) => other !== waiting);
    if (rest.length > 0) this.#queues.set(jobId, rest);
    else this.#queues.delete(jobId);
  }

  #slot(buffer: KernelBuffer, byteLength: number): UploadSlot {
    let held = true;
    const bytes = buffer.bytes.subarray(0, byteLength);
    const isWanted = (): boolean => held && this.#unserved > 0;
    return {
      bytes,
      get isWanted() {
        return isWanted();
      },
      release: () => {
        if (!held) return;
        held = false;
        this.#giveBack(buffer);
      },
      park: (spill) => {
        if (!held) throw new RangeError("the slot has been released");
        held = false;
        return this.#park(buffer, { byteLength, save: () => spill(bytes) });
      },
    };
  }

  #park(
    buffer: KernelBuffer,
    { byteLength, save }: { byteLength: number; save: () => Promise<void> },
  ): ParkedSlot {
    let isSpilled = (): void => undefined;
    const spilled = new Promise<void>((resolve) => {
      isSpilled = resolve;
    });
    const parked: Parked = {
      spill: async () => {
        if (!this.#parked.delete(parked)) return await spilled;
        this.#spilling += 1;
        await save().catch(() => undefined); // what could not be saved is sent anew
        this.#spilling -= 1;
        isSpilled();
        this.#giveBack(buffer);
      },
    };
    this.#parked.add(parked);
    this.#serve();
    return {
      spilled,
      reclaim: () => (this.#parked.delete(parked) ? this.#slot(buffer, byteLength) : undefined),
      drop: () => {
        if (!this.#parked.delete(parked)) return;
        isSpilled();
        this.#giveBack(buffer);
      },
    };
  }

  #giveBack(buffer: KernelBuffer): void {
    this.#buffers.push(buffer);
    this.#free += 1;
    this.#serve();
  }

  /** A buffer that is large enough; too small ones are let go, so that never more than K live. */
  #bufferOf(byteLength: number): KernelBuffer {
    const index = this.#buffers.findIndex(({ bytes }) => bytes.byteLength >= byteLength);
    const [large] = index >= 0 ? this.#buffers.splice(index, 1) : [];
    if (large !== undefined) return large;
    this.#buffers.pop()?.release();
    return this.#kernels.buffer(byteLength);
  }
}
