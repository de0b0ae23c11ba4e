import { PhotinusError } from "@photinus/core/errors";
import type { Clock, Logger, Metrics, Timer } from "@photinus/core/platform";
import type { OpenedKit } from "@photinus/core/provision";
import { fileVersion } from "@photinus/node-platform";
import type { TlsOptions } from "../http/tls.ts";

/** What a server is and presents, as it lies in its files. */
export interface LoadedKit {
  /** The kit, verified and opened. */
  readonly kit: OpenedKit;
  /** Its certificates for TLS; absent for a server in clear. */
  readonly tls?: TlsOptions;
}

/** Where the kit of a server is read anew while it runs. */
export interface KitSource {
  /** Files that tell by their change that something was exchanged. At most some dozens. */
  readonly files: readonly string[];
  /** Reads them anew; what it throws leaves everything as it was. */
  load(): Promise<LoadedKit>;
}

/** What {@link KitRenewal} works with. */
export interface KitRenewalModules {
  /** Times the looks. */
  readonly clock: Clock;
  /** Told of each exchange and each failure. */
  readonly logger: Logger;
  /** Counts them: `photinus_tls_reloads_total`. */
  readonly metrics: Metrics;
  /** Shows itself by what was read from here on; throws when that is unusable. */
  readonly take: (loaded: LoadedKit) => Promise<void>;
  /** Told of what was refused. @param code of the refusal */
  readonly refused: (code: string) => Promise<void>;
}

/** What was exchanged counts within two seconds: files that still change at the second look are being written. */
const LOOK_MS = 1_000;

/** Exchanges kit and certificates of a running server when their files change, or when it is told to. */
export class KitRenewal {
  readonly #source: KitSource;
  readonly #modules: KitRenewalModules;
  /** The files as they were when they were read last: what has not changed is not read again. */
  #seen: string | undefined;
  /** The files as they were at the last look. */
  #changing: string | undefined;
  #timer: Timer | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #looking: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(source: KitSource, modules: KitRenewalModules) {
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
    await this.#looking;
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
      this.#looking = this.#look().finally(() => this.#schedule());
    });
  }

  async #look(): Promise<void> {
    const version = await this.#version();
    const isWritten = version === this.#changing;
    this.#changing = version;
    if (this.#isStopped) return;
    if (isWritten && version !== this.#seen) await this.reload();
  }

  async #reload(): Promise<boolean> {
    const { logger, metrics, take, refused } = this.#modules;
    // Before the files are read: a change meanwhile is seen at the next look.
    this.#seen = await this.#version();
    try {
      await take(await this.#source.load());
    } catch (error) {
      const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
      metrics.count("photinus_tls_reloads_total", 1, { outcome: code });
      logger.error("the kit in place was refused; that of before stays", error, { code });
      await refused(code).catch((cause: unknown) => logger.error("a refusal could not be recorded", cause));
      return false;
    }
    metrics.count("photinus_tls_reloads_total", 1, { outcome: "taken" });
    return true;
  }

  async #version(): Promise<string> {
    return (await Promise.all(this.#source.files.map(fileVersion))).join(",");
  }
}
