import type { AuditLog } from "@photinus/core/audit";
import type { Clock, Logger, Timer } from "@photinus/core/platform";
import { networkOf } from "../http/client-address.ts";

/** Something that was refused to somebody who is not let in. */
export interface RefusedAttempt {
  /** What was attempted. */
  readonly action: "login" | "enrol" | "authenticate" | "sign-in";
  /** Address that it came from; `undefined` where nobody knows it. */
  readonly address?: string;
  /** Whose certificate it was, where one was proved: counted by name, whatever the address. */
  readonly name?: string;
  /** Code of the refusal. */
  readonly code: string;
}

/** What {@link RefusalRecords} works with. */
export interface RefusalRecordsModules {
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A record tells of this long, in ms. */
const WINDOW_MS = 60_000;
/** Sources that have records of their own at a time; all further ones share one. */
const MAX_SOURCES = 256;
/** Codes that a record names beside the count of all. */
const MAX_CODES = 16;
const OTHERS = "other addresses";

/** What was refused to one source since its last record. */
interface Window {
  readonly attempt: RefusedAttempt;
  readonly source: string;
  readonly counts: Map<string, number>;
  readonly timer: Timer;
}

/**
 * Records refusals so that strangers cannot fill the disk: the first one of an address at once, those of each minute
 * after it as one record with their count. An IPv6 network of 64 bits counts as one address.
 */
export class RefusalRecords {
  readonly #modules: RefusalRecordsModules;
  readonly #windows = new Map<string, Window>();
  #writing: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(modules: RefusalRecordsModules) {
    this.#modules = modules;
  }

  /** Takes a refusal down. Resolves when it is recorded or counted; a record that cannot be stored is logged. */
  note(attempt: RefusedAttempt): Promise<void> {
    const source = this.#sourceOf(attempt);
    const window = this.#windows.get(`${attempt.action} ${source}`);
    if (window !== undefined) {
      const code = window.counts.has(attempt.code) || window.counts.size < MAX_CODES ? attempt.code : "other";
      window.counts.set(code, (window.counts.get(code) ?? 0) + 1);
      return Promise.resolve();
    }
    if (!this.#isStopped) this.#open(attempt, source);
    return this.#record(attempt, source, new Map());
  }

  /** Records what is counted and not recorded yet; what may still come is recorded one by one. Idempotent. */
  stop(): Promise<void> {
    this.#isStopped = true;
    for (const window of this.#windows.values()) {
      window.timer.cancel();
      if (window.counts.size > 0) void this.#record(window.attempt, window.source, window.counts);
    }
    this.#windows.clear();
    return this.#writing;
  }

  #sourceOf({ action, address, name }: RefusedAttempt): string {
    const source = name ?? (address === undefined ? "" : networkOf(address));
    const isNew = !this.#windows.has(`${action} ${source}`);
    return isNew && this.#windows.size >= MAX_SOURCES ? OTHERS : source;
  }

  #open(attempt: RefusedAttempt, source: string): void {
    const end = (): void => this.#end(attempt, source);
    const timer = this.#modules.clock.after(WINDOW_MS, end);
    this.#windows.set(`${attempt.action} ${source}`, { attempt, source, counts: new Map(), timer });
  }

  /** A quiet minute ends it; a loud one is recorded, and the next one is counted. */
  #end(attempt: RefusedAttempt, source: string): void {
    const key = `${attempt.action} ${source}`;
    const window = this.#windows.get(key);
    this.#windows.delete(key);
    if (window === undefined || window.counts.size === 0) return;
    void this.#record(attempt, source, window.counts);
    this.#open(attempt, source);
  }

  #record(
    { action, code }: RefusedAttempt,
    source: string,
    counts: ReadonlyMap<string, number>,
  ): Promise<void> {
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const [[reason] = [code]] = [...counts].sort(([, left], [, right]) => right - left);
    const details = total === 0 ? {} : { count: total, ...Object.fromEntries(counts) };
    const { audit, logger } = this.#modules;
    const write = async (): Promise<void> => {
      try {
        await audit.record({ action, object: source, outcome: "refused", reason, details });
      } catch (error) {
        logger.error("a refusal could not be recorded", error, { action, source, count: Math.max(1, total) });
      }
    };
    this.#writing = this.#writing.then(write);
    return this.#writing;
  }
}
