import { toHex } from "../../bytes/index.ts";
import type { ResourceNeed } from "../../job/index.ts";
import type { Clock, Random } from "../../platform/index.ts";
import { type GrantedResources, type Lack, take } from "./managers.ts";
import { NO_RESOURCES, type ResourceSettings, type ResourceSource } from "./settings.ts";

const DEFAULT_RESERVATION_S = 30;

/** Something is kept for a job until then. */
export interface Reservation {
  /** Gives it out once, or back: 32 hexadecimal digits. */
  readonly token: string;
  /** How long, ms from now. */
  readonly expiresInMs: number;
}

interface Held {
  readonly token: string;
  /** What it was taken for, as text. */
  readonly need: string;
  readonly granted: GrantedResources;
  /** When it returns unless it is given out; `undefined`: it is given out, and returns with the end of its job. */
  expiresAtMs: number | undefined;
}

/** What a {@link ResourcePool} works with. */
export interface ResourcePoolModules {
  readonly clock: Pick<Clock, "now">;
  readonly random: Random;
  /** The settings of now. Default: nothing that jobs may ask for. */
  readonly source?: ResourceSource | undefined;
  /** Jobs at once where the settings do not say. */
  readonly concurrentJobs: number;
}

/**
 * What a site has for jobs: a check keeps it for a job and for a while, it is given out once, and freed with the job's end.
 * What is free follows from the settings of now and from what is held, so that a file may change at any time; nothing of it
 * outlasts the process, and neither do the jobs that it was given to.
 */
export class ResourcePool {
  readonly #modules: ResourcePoolModules;
  /** By job. */
  readonly #held = new Map<string, Held>();
  /** By job: who waits, in the order in which they came. Who looks again keeps its place. */
  readonly #waiting = new Map<string, () => void>();

  constructor(modules: ResourcePoolModules) {
    this.#modules = modules;
  }

  /** The settings of now; `undefined` while they cannot be used: then no job is taken. */
  get settings(): ResourceSettings | undefined {
    const { source } = this.#modules;
    if (source === undefined) return NO_RESOURCES;
    try {
      const settings = source();
      return "unusable" in settings ? undefined : settings;
    } catch {
      return undefined;
    }
  }

  /**
   * Keeps what a job needs for it. Asked again, it keeps the same for longer; asked for something else, that: a server asks
   * first, and by its own word, the signed job after it. @returns what is missing otherwise
   */
  check(jobId: string, need: ResourceNeed): Reservation | Lack {
    const { settings } = this;
    if (settings === undefined) return { lacks: "the settings of this site cannot be used at present" };
    this.#expire();
    const before = this.#held.get(jobId);
    const expiresInMs = 1000 * (settings.reservationSeconds ?? DEFAULT_RESERVATION_S);
    const wanted = JSON.stringify(need);
    if (before !== undefined && (before.expiresAtMs === undefined || before.need === wanted)) {
      if (before.expiresAtMs !== undefined) before.expiresAtMs = this.#now() + expiresInMs;
      return { token: before.token, expiresInMs };
    }
    this.#held.delete(jobId);
    const most = settings.limits?.concurrentJobs ?? this.#modules.concurrentJobs;
    if (this.#held.size >= most) return { lacks: `at most ${most} jobs at once` };
    const granted = take(
      need,
      settings,
      [...this.#held.values()].map((held) => held.granted),
    );
    if ("lacks" in granted) return granted;
    const token = toHex(this.#modules.random.bytes(16));
    this.#held.set(jobId, { token, need: wanted, granted, expiresAtMs: this.#now() + expiresInMs });
    return { token, expiresInMs };
  }

  /** Gives out what was kept, once. @returns what is missing when it was given out before, or has returned */
  allocate(jobId: string, token: string): GrantedResources | Lack {
    this.#expire();
    const held = this.#held.get(jobId);
    if (held?.token !== token) return { lacks: "what was kept for the job has returned" };
    if (held.expiresAtMs === undefined) return { lacks: "it was given out before" };
    held.expiresAtMs = undefined;
    return held.granted;
  }

  /** Gives back what is kept and was not given out. Harmless for a token that nothing is kept under. */
  cancel(jobId: string, token: string): void {
    const held = this.#held.get(jobId);
    if (held?.token === token && held.expiresAtMs !== undefined) this.free(jobId);
  }

  /** The job has ended here: everything of it returns. Idempotent. */
  free(jobId: string): void {
    this.#waiting.delete(jobId);
    if (!this.#held.delete(jobId)) return;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Resolves when something has returned; the job that waited longest looks first. The last promise of a job counts. */
  freed(jobId: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(jobId, resolve);
    });
  }

  /** Jobs that something is kept for or given to. */
  get holders(): number {
    this.#expire();
    return this.#held.size;
  }

  #expire(): void {
    const now = this.#now();
    for (const [jobId, { expiresAtMs }] of this.#held) {
      if (expiresAtMs !== undefined && expiresAtMs <= now) this.#held.delete(jobId);
    }
  }

  #now(): number {
    return this.#modules.clock.now();
  }
}
