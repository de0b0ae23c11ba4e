import type { Bytes } from "../bytes/index.ts";
import type { Random } from "../platform/index.ts";

/** Bytes that are drawn at a time. */
const DRAWN_BYTES = 16_384;

/**
 * Noise from random bytes. Each number is a combination of four draws: a single one, rounded to floating point, tells by its
 * last bits what it was added to (Mironov 2012); of four nobody can find out which they were (Holohan and Braghin 2021,
 * "Secure Random Sampling in Differential Privacy", sections 4 and 5).
 */
export class NoiseSource {
  readonly #random: Random;
  #drawn: Bytes = new Uint8Array(0);
  #view = new DataView(this.#drawn.buffer);
  #at = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Uniform in (0, 1), 52 bits: the middle of its interval, so that it is neither 0 nor 1. */
  uniform(): number {
    if (this.#at + 8 > this.#drawn.byteLength) this.#draw();
    const high = this.#view.getUint32(this.#at) >>> 12;
    const low = this.#view.getUint32(this.#at + 4);
    this.#at += 8;
    return (high * 2 ** 32 + low + 0.5) / 2 ** 52;
  }

  /** Standard normal: half the sum of four draws by Box and Muller. */
  gaussian(): number {
    return (this.#twoGaussians() + this.#twoGaussians()) / 2;
  }

  /** Laplace of scale 1. */
  laplace(): number {
    const [first, second] = [this.uniform(), this.uniform()];
    const [third, fourth] = [this.uniform(), this.uniform()];
    return Math.log(first) * Math.cos(Math.PI * second) + Math.log(third) * Math.cos(Math.PI * fourth);
  }

  /** The sum of both normal values that a pair of uniform ones gives. */
  #twoGaussians(): number {
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    return radius * (Math.cos(angle) + Math.sin(angle));
  }

  #draw(): void {
    this.#drawn = this.#random.bytes(DRAWN_BYTES);
    this.#view = new DataView(this.#drawn.buffer, this.#drawn.byteOffset, this.#drawn.byteLength);
    this.#at = 0;
  }
}
