/** Whole pages that are lent and given back: first fit, neighbours merge. */
export class PagePool {
  /** Free ranges in rising order, never touching each other. */
  readonly #free: { first: number; count: number }[] = [];
  readonly #grow: (pages: number) => number;

  /**
   * @param grow adds pages at the end and returns the first of them
   */
  constructor(grow: (pages: number) => number) {
    this.#grow = grow;
  }

  /** Pages that lie in memory and are not lent. */
  get freePages(): number {
    return this.#free.reduce((sum, { count }) => sum + count, 0);
  }

  /** @returns the first of `count` pages in a row. @throws what `grow` throws when memory ends */
  lend(count: number): number {
    const index = this.#free.findIndex((range) => range.count >= count);
    const range = this.#free[index];
    if (range === undefined) return this.#grow(count);
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
