/** Whole pages of a memory that are lent and given back: first fit, neighbours merge. */
export class PagePool {
  /** Free ranges in rising order, never touching each other. */
  readonly #free: { first: number; count: number }[];
  readonly #first: number;
  readonly #count: number;

  /** Pages `first` to `first + count` − 1, all of them free. */
  constructor(first: number, count: number) {
    this.#first = first;
    this.#count = count;
    this.#free = [{ first, count }];
  }

  /** Whether nothing is lent. */
  get isIdle(): boolean {
    const [range] = this.#free;
    return range?.first === this.#first && range.count === this.#count;
  }

  /** @returns the first of `count` pages in a row; `undefined` when there are none */
  lend(count: number): number | undefined {
    const index = this.#free.findIndex((range) => range.count >= count);
    const range = this.#free[index];
    if (range === undefined) return undefined;
    const { first } = range;
    range.first += count;
    range.count -= count;
    if (range.count === 0) this.#free.splice(index, 1);
    return first;
  }

  /** Takes back what {@link lend} gave. */
  giveBack(first: number, count: number): void {
    const after = this.#free.findIndex((range) => range.first > first);
    const index = after < 0 ? this.#free.length : after;
    this.#free.splice(index, 0, { first, count });
    this.#mergeWithNext(index);
    if (index > 0) this.#mergeWithNext(index - 1);
  }

  #mergeWithNext(index: number): void {
    const range = this.#free[index];
    const next = this.#free[index + 1];
    if (range === undefined || next === undefined || range.first + range.count !== next.first) return;
    range.count += next.count;
    this.#free.splice(index + 1, 1);
  }
}
