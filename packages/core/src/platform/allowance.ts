/** How much somebody may do. */
export interface AllowanceOptions {
  /** So often at once. */
  readonly atOnce: number;
  /** So many further times in a second. */
  readonly perSecond: number;
}

/** How often somebody may still do something: so often at once, and again as time goes by. */
export class Allowance {
  readonly #atOnce: number;
  readonly #perSecond: number;
  #left: number;
  #filledMs: number | undefined;

  constructor({ atOnce, perSecond }: AllowanceOptions) {
    this.#atOnce = atOnce;
    this.#perSecond = perSecond;
    this.#left = atOnce;
  }

  /** Takes one, if there is one. @returns ms until there is; 0 when it was taken */
  take(nowMs: number): number {
    const sinceMs = nowMs - (this.#filledMs ?? nowMs);
    this.#filledMs = nowMs;
    this.#left = Math.min(this.#atOnce, this.#left + (sinceMs / 1000) * this.#perSecond);
    if (this.#left < 1) return Math.ceil((1000 * (1 - this.#left)) / this.#perSecond);
    this.#left -= 1;
    return 0;
  }
}
