/**
 * Records that were handed to storage and are awaited before the next thing that rests on them. What is handed over in
 * one turn goes to disk in one commit, so a round waits for the disk a few times, not a dozen.
 */
export class PendingRecords {
  readonly #pending = new Set<Promise<unknown>>();
  #failure: { readonly error: unknown } | undefined;

  /** Hands over a record that is being written. */
  keep(record: Promise<unknown>): void {
    const settled: Promise<void> = record
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .then(() => {
        this.#pending.delete(settled);
      });
    this.#pending.add(settled);
  }

  /** Resolves when every record so far is kept. @throws what the first one that could not be threw, from then on */
  async kept(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
