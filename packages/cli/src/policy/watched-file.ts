import type { Clock, Timer } from "@photinus/core/platform";
import { fileVersion } from "@photinus/node-platform";

/** What is done with a file that people edit. */
export interface WatchedFileOptions {
  readonly clock: Pick<Clock, "after">;
  /** It is looked at for the first time, or has changed. @param version empty: there is no file, or it cannot be seen */
  readonly changed: (version: string) => Promise<void>;
  /** `changed` failed; it is tried again. */
  readonly failed: (error: unknown) => void;
}

/** What was saved has its effect within a second. */
const LOOK_MS = 500;

/** A file that people edit while the program runs. */
export class WatchedFile {
  readonly #path: string;
  readonly #options: WatchedFileOptions;
  #seen: string | undefined;
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(path: string, options: WatchedFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Looks at the file and goes on to look. Idempotent. @throws what `changed` throws */
  async start(): Promise<void> {
    if (this.#timer !== undefined) return;
    await this.#look();
    this.#schedule();
  }

  /** Looks no more. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.after(LOOK_MS, () => {
      this.#looking = this.#look()
        .catch((error: unknown) => {
          this.#seen = undefined; // tried again
          this.#options.failed(error);
        })
        .finally(() => this.#schedule());
    });
  }

  async #look(): Promise<void> {
    // Before the content: a change in between has another version, and is seen the next time.
    const version = await fileVersion(this.#path);
    if (version === this.#seen) return;
    this.#seen = version;
    await this.#options.changed(version);
  }
}
