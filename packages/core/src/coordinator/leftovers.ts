import type { Logger } from "../platform/index.ts";

/** What the calls of a workflow leave behind: needed until the call after them is recorded, and deleted then. */
export class Leftovers {
  readonly #logger: Logger;
  #drops: (() => Promise<void>)[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Deletes it with the next {@link sweep}. */
  add(drop: () => Promise<void>): void {
    this.#drops.push(drop);
  }

  /** Deletes what was added so far: the calls that left it are recorded by now. What cannot be deleted is logged. */
  sweep(): void {
    const drops = this.#drops;
    this.#drops = [];
    for (const drop of drops) {
      drop().catch((error: unknown) => this.#logger.error("a blob of an earlier round stays on disk", error));
    }
  }
}
