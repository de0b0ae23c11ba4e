import type { Bytes } from "../bytes/index.ts";

/** A staging buffer, held by one upload. */
export interface UploadSlot {
  /** Exactly as many bytes as were asked for; what an earlier upload left in them is still there. */
  readonly bytes: Bytes;
  /** Gives the slot to the next one waiting; idempotent. */
  release(): void;
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
  readonly #buffers: Bytes[] = [];
  #free: number;

  /** @param count K, at least 1 */
  constructor(count: number) {
    if (!Number.isSafeInteger(count) || count < 1) throw new RangeError("at least one upload slot");
    this.#free = count;
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
    this.#buffers.length = 0;
  }

  #serve(): void {
    while (this.#free > 0) {
      const waiting = this.#next();
      if (waiting === undefined) return;
      this.#free -= 1;
      waiting.give(this.#slot(waiting.byteLength));
    }
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

  #slot(byteLength: number): UploadSlot {
    const buffer = this.#bufferOf(byteLength);
    let held = true;
    return {
      bytes: buffer.subarray(0, byteLength),
      release: () => {
        if (!held) return;
        held = false;
        this.#buffers.push(buffer);
        this.#free += 1;
        this.#serve();
      },
    };
  }

  /** A buffer that is large enough; too small ones are let go, so that never more than K live. */
  #bufferOf(byteLength: number): Bytes {
    const index = this.#buffers.findIndex((buffer) => buffer.byteLength >= byteLength);
    if (index >= 0) return this.#buffers.splice(index, 1)[0] ?? new Uint8Array(byteLength);
    this.#buffers.pop();
    return new Uint8Array(byteLength);
  }
}
