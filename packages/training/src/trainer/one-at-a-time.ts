/** Work that shares memory, so that two pieces of it at once would mix their data. */
export class OneAtATime {
  #running: Promise<unknown> | undefined;

  /** @throws TypeError while other work runs */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running !== undefined) throw new TypeError("the trainer does one thing at a time");
    const running = work();
    this.#running = running;
    try {
      return await running;
    } finally {
      this.#running = undefined;
    }
  }

  /** Resolves when the work that runs has ended, well or not. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined); // whoever asked for the work is told
  }
}
