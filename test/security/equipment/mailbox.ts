/** Values that arrive at some time, taken one after another. */
export class Mailbox<T> {
  readonly #values: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  put(value: T): void {
    const take = this.#waiting.shift();
    if (take === undefined) this.#values.push(value);
    else take(value);
  }

  /** The next one; waits for it. */
  next(): Promise<T> {
    const [value] = this.#values.splice(0, 1);
    if (value !== undefined) return Promise.resolve(value);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** What has arrived and was not taken. */
  get waiting(): readonly T[] {
    return this.#values;
  }
}
