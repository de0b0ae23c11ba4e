import type { ResourceNeed } from "../job/index.ts";
import { type Clock, sleep } from "../platform/index.ts";
import type { GrantedResources, ResourcePool } from "./resources/index.ts";

/** A job that waits for its place looks again after so long, whatever it was told. */
const LOOK_AGAIN_MS = 10_000;

/** What a {@link JobPlace} works with. */
export interface JobPlaceModules {
  readonly pool: ResourcePool;
  readonly clock: Clock;
  /** Tells the server that the job waits here, and for what. */
  readonly postpone: (reason: string) => Promise<void>;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** The place of one job at a site: one of the jobs at once, and what it needs of the host. */
export class JobPlace {
  readonly #jobId: string;
  readonly #need: ResourceNeed;
  readonly #modules: JobPlaceModules;
  #token: string | undefined;
  #granted: GrantedResources = { gpus: [], units: {} };
  /** What it waits for; empty when it waits for nothing. */
  #lacks = "";

  constructor(
    { jobId, need = {} }: { readonly jobId: string; readonly need: ResourceNeed | undefined },
    modules: JobPlaceModules,
  ) {
    this.#jobId = jobId;
    this.#need = need;
    this.#modules = modules;
  }

  /** True while the job waits for others to end. */
  get isWaiting(): boolean {
    return this.#lacks !== "";
  }

  /** Waits until what the job needs is kept for it; the server is told when that takes a while. @throws the signal's reason */
  async take(): Promise<void> {
    const { pool, clock, signal } = this.#modules;
    for (;;) {
      signal.throwIfAborted();
      const kept = pool.check(this.#jobId, this.#need);
      if (!("lacks" in kept)) {
        this.#lacks = "";
        this.#token = kept.token;
        return;
      }
      const isTold = this.#lacks === kept.lacks;
      this.#lacks = kept.lacks;
      if (!isTold) await this.tellAgain();
      await Promise.race([pool.freed(this.#jobId), sleep(clock, LOOK_AGAIN_MS, signal)]);
    }
  }

  /** The job begins: it gets what was kept for it, or waits again when that has returned. @throws the signal's reason */
  async confirm(): Promise<void> {
    for (;;) {
      const granted = this.#modules.pool.allocate(this.#jobId, this.#token ?? "");
      if (!("lacks" in granted)) {
        this.#granted = granted;
        return;
      }
      await this.take();
    }
  }

  /** What the job has of the host; nothing before it begins. */
  get granted(): GrantedResources {
    return this.#granted;
  }

  /** Says again what the job waits for, when it waits. */
  async tellAgain(): Promise<void> {
    if (this.isWaiting) await this.#modules.postpone(this.#lacks);
  }

  /** The job has ended here, or takes no part: everything returns. Idempotent. */
  release(): void {
    this.#lacks = "";
    this.#modules.pool.free(this.#jobId);
  }
}
