import { type Bytes, toBytes } from "../bytes/index.ts";
import type { Clock } from "../platform/index.ts";

/** Elements between two turns for other work: well below 1 ms. */
const BLOCK_ELEMENTS = 262_144;

/**
 * Σ n_k Δ_k in float32, in the order of {@link RunningMean.add}, over the packed trainable tensors; one model of memory,
 * used again each round. FedAvg (McMahan et al. 2017, algorithm 1, line 8) divides it by Σ n_k at the end.
 */
export class RunningMean {
  readonly #sum: Float32Array<ArrayBuffer>;
  readonly #clock: Clock;
  #weight = 0;
  /** Additions run one after another. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param byteLength of an update; a multiple of 4 */
  constructor(byteLength: number, clock: Clock) {
    this.#sum = new Float32Array(byteLength / 4);
    this.#clock = clock;
  }

  /** Begins anew. */
  reset(): void {
    this.#sum.fill(0);
    this.#weight = 0;
  }

  /** L2 norm of an update; `undefined` when a value is not finite. */
  async check(update: Bytes): Promise<number | undefined> {
    const values = floatsOf(update);
    let squares = 0;
    for (let start = 0; start < values.length; start += BLOCK_ELEMENTS) {
      if (start > 0) await this.#clock.yield();
      squares += sumOfSquares(values.subarray(start, start + BLOCK_ELEMENTS));
      if (!Number.isFinite(squares)) return undefined;
    }
    return Math.sqrt(squares);
  }

  /**
   * Adds `weight · update` when its turn has come and `commit` still agrees.
   * @returns what `commit` answered
   */
  add(update: Bytes, weight: number, commit: () => boolean): Promise<boolean> {
    const addition = this.#turn.then(async () => {
      if (!commit()) return false;
      await this.#addBlocks(floatsOf(update), weight);
      this.#weight += weight;
      return true;
    });
    this.#turn = addition.catch(() => undefined); // who added hears of it
    return addition;
  }

  /** Divides by the sum of weights. @returns a view of the mean, until the next {@link reset}; `undefined` of nothing */
  async finish(): Promise<{ readonly mean: Bytes; readonly weight: number } | undefined> {
    await this.#turn;
    const weight = this.#weight;
    if (weight === 0) return undefined;
    const sum = this.#sum;
    for (let index = 0; index < sum.length; index++) {
      if (index % BLOCK_ELEMENTS === 0 && index > 0) await this.#clock.yield();
      sum[index] = (sum[index] ?? 0) / weight;
    }
    this.#weight = 0;
    return { mean: toBytes(sum), weight };
  }

  /** The memory of the sum, for a mean that is read back from storage. */
  get bytes(): Bytes {
    return toBytes(this.#sum);
  }

  async #addBlocks(values: Float32Array<ArrayBuffer>, weight: number): Promise<void> {
    const sum = this.#sum;
    for (let index = 0; index < sum.length; index++) {
      if (index % BLOCK_ELEMENTS === 0 && index > 0) await this.#clock.yield();
      sum[index] = (sum[index] ?? 0) + weight * (values[index] ?? 0);
    }
  }
}

/** The floats of packed f32 tensors. @throws RangeError when the bytes are not aligned to 4 */
export function floatsOf(bytes: Bytes): Float32Array<ArrayBuffer> {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

function sumOfSquares(values: Float32Array<ArrayBuffer>): number {
  let squares = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    squares += value * value;
  }
  return squares;
}
