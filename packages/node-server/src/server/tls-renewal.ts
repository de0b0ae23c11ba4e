import { PhotinusError } from "@photinus/core/errors";
import type { Clock, Logger, Metrics, Timer } from "@photinus/core/platform";
import { fileVersion } from "@photinus/node-platform";
import type { TlsOptions } from "../http/tls.ts";

/** Where the certificates of a server come from while it runs. */
export interface TlsSource {
  /** Files that tell by their change that the certificates were exchanged. At most a handful. */
  readonly files: readonly string[];
  /** Reads them anew; what it throws leaves the certificates of before in place. */
  load(): Promise<TlsOptions>;
}

/** What {@link TlsRenewal} works with. */
export interface TlsRenewalModules {
  /** Times the looks. */
  readonly clock: Clock;
  /** Told of each exchange and each failure. */
  readonly logger: Logger;
  /** Counts them: `photinus_tls_reloads_total`. */
  readonly metrics: Metrics;
  /** Presents the certificates to new connections; throws when they are unusable. */
  readonly replace: (tls: TlsOptions) => void;
}

/** A certificate that was exchanged is presented within a second. */
const LOOK_MS = 1_000;

/** Exchanges the certificates of a running server when their files change, or when it is told to. */
export class TlsRenewal {
  readonly #source: TlsSource;
  readonly #modules: TlsRenewalModules;
  /** The files as they were when they were read last: what has not changed is not read again. */
  #seen: string | undefined;
  #timer: Timer | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(source: TlsSource, modules: TlsRenewalModules) {
    this.#source = source;
    this.#modules = modules;
  }

  /** Begins to look. Idempotent. */
  async start(): Promise<void> {
    if (this.#seen !== undefined) return;
    this.#seen = await this.#version();
    this.#schedule();
  }

  /** Looks no more, and waits for what it is at. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#last;
  }

  /** Reads the files now, changed or not. @returns false when what was before stays in place */
  reload(): Promise<boolean> {
    const next = this.#last.then(() => this.#reload());
    this.#last = next;
    return next;
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = this.#modules.clock.after(LOOK_MS, () => {
      void this.#look().finally(() => this.#schedule());
    });
  }

  async #look(): Promise<void> {
    const version = await this.#version();
    if (version !== this.#seen) await this.reload();
  }

  async #reload(): Promise<boolean> {
    const { logger, metrics, replace } = this.#modules;
    // Before the files are read: a change meanwhile is seen at the next look.
    this.#seen = await this.#version();
    try {
      replace(await this.#source.load());
    } catch (error) {
      const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
      metrics.count("photinus_tls_reloads_total", 1, { outcome: code });
      logger.error("new certificates for TLS are unusable; those of before stay", error);
      return false;
    }
    metrics.count("photinus_tls_reloads_total", 1, { outcome: "taken" });
    logger.info("certificates for TLS were exchanged");
    return true;
  }

  async #version(): Promise<string> {
    return (await Promise.all(this.#source.files.map(fileVersion))).join(",");
  }
}
