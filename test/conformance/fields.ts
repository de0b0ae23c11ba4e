import { type Item, readItem } from "./message-pack.ts";
import { demand } from "./refused.ts";

const REFUSED = 4019;

/** Takes the positions of an array in order. */
export class Fields {
  readonly #items: readonly Item[];
  #next = 0;

  constructor(item: Item) {
    demand(item.kind === "array", REFUSED, "an array expected");
    this.#items = item.items;
  }

  #take(): Item {
    const item = this.#items[this.#next++];
    demand(item !== undefined, REFUSED, "too few positions");
    return item;
  }

  integer(most: number = Number.MAX_SAFE_INTEGER, least = 0): number {
    const item = this.#take();
    demand(item.kind === "integer" && item.value >= least && item.value <= most, REFUSED, "no such integer");
    return Number(item.value);
  }

  text(): string {
    const item = this.#take();
    demand(item.kind === "text", REFUSED, "a string expected");
    return item.value;
  }

  bytes(length?: number): Buffer {
    const item = this.#take();
    demand(
      item.kind === "bytes" && (length ?? item.value.length) === item.value.length,
      REFUSED,
      "bytes expected",
    );
    return item.value;
  }

  /** `undefined` for nil. */
  nullable<T>(take: (fields: this) => T): T | undefined {
    if (this.#items[this.#next]?.kind !== "nil") return take(this);
    this.#next += 1;
    return undefined;
  }

  inner(): Fields {
    return new Fields(this.#take());
  }

  list<T>(take: (fields: Fields) => T): readonly T[] {
    const fields = this.inner();
    const taken: T[] = [];
    while (fields.#next < fields.#items.length) taken.push(take(fields));
    return taken;
  }

  /** True while positions are left. */
  get hasMore(): boolean {
    return this.#next < this.#items.length;
  }

  /** Passes over a position. */
  skip(): void {
    this.#take();
  }

  /** The positions that are left, as they are. */
  rest(): readonly Item[] {
    const left = this.#items.slice(this.#next);
    this.#next = this.#items.length;
    return left;
  }

  end(): void {
    demand(this.#next === this.#items.length, REFUSED, "too many positions");
  }
}

/** Reads an array of fixed positions. */
export function readFields<T>(bytes: Buffer, take: (fields: Fields) => T): T {
  const fields = new Fields(readItem(bytes));
  const value = take(fields);
  fields.end();
  return value;
}
