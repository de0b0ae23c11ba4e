import type { JobReady } from "../message/index.ts";
import { type Clock, sleep } from "../platform/index.ts";
import type { JobBoard } from "./job-board.ts";
import type { LiveSite } from "./live-site.ts";

/** How far one connected site is with a job. */
interface Participation {
  readonly site: LiveSite;
  hasConsented: boolean;
  isReady: boolean;
}

/** The connected sites of one job and how far each is. */
export class JobSites {
  readonly #board: JobBoard;
  readonly #participations = new Map<string, Participation>();
  readonly #waiting = new Set<() => void>();

  constructor(board: JobBoard) {
    this.#board = board;
  }

  /** A site that has the job's data is connected. */
  add(site: LiveSite): void {
    this.#participations.set(site.name, { site, hasConsented: false, isReady: false });
    const { org, runtime } = site;
    this.#board.updateSite(site.name, { org, runtime, phase: "connected", progress: 0 });
  }

  /** The site's session ended; a newer session of the same name stays. @returns true when it was the present one */
  remove(site: LiveSite): boolean {
    if (this.#participations.get(site.name)?.site !== site) return false;
    this.#participations.delete(site.name);
    this.#board.updateSite(site.name, { phase: "disconnected", progress: 0 });
    return true;
  }

  /** The site takes part. @returns false when it is not connected */
  consented(name: string): boolean {
    const participation = this.#participations.get(name);
    if (participation === undefined) return false;
    participation.hasConsented = true;
    this.#board.updateSite(name, { phase: "preparing", progress: 0, cause: "" });
    return true;
  }

  /** The site does not take part, or can no longer. */
  declined(name: string, cause: string): void {
    const participation = this.#participations.get(name);
    if (participation === undefined) return;
    participation.hasConsented = false;
    participation.isReady = false;
    this.#board.updateSite(name, { phase: "refused", cause, progress: 0 });
  }

  /** The site's trainer is prepared. @returns false when it has not consented */
  ready(name: string, { device, trainingExamples, heldOutExamples }: JobReady): boolean {
    const participation = this.#participations.get(name);
    if (participation?.hasConsented !== true) return false;
    participation.isReady = true;
    this.#board.updateSite(name, { phase: "idle", progress: 0, device, trainingExamples, heldOutExamples });
    for (const wake of [...this.#waiting]) wake();
    return true;
  }

  /** A connected site of this job, ready or not. */
  find(name: string): LiveSite | undefined {
    return this.#participations.get(name)?.site;
  }

  /** A site that may be given a task. */
  findReady(name: string): LiveSite | undefined {
    const participation = this.#participations.get(name);
    return participation?.isReady === true ? participation.site : undefined;
  }

  /** True when the site takes part. */
  hasConsented(name: string): boolean {
    return this.#participations.get(name)?.hasConsented === true;
  }

  /** Every connected site that was offered the job. */
  all(): readonly LiveSite[] {
    return [...this.#participations.values()].map(({ site }) => site);
  }

  /** Sites that may be given a task, by name. */
  allReady(): readonly LiveSite[] {
    return [...this.#participations.values()]
      .filter(({ isReady }) => isReady)
      .map(({ site }) => site)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Waits until `minimum` sites are ready, at most `waitMs`.
   * @returns false when the time was up first
   * @throws the signal's reason
   */
  async waitForReady(minimum: number, { waitMs, clock, signal }: WaitOptions): Promise<boolean> {
    if (this.allReady().length >= minimum) return true;
    const stop = new AbortController();
    const timeUp = sleep(clock, waitMs, AbortSignal.any([signal, stop.signal])).then(() => false);
    timeUp.catch(() => undefined); // a stopped wait is no fault; the race below tells of a real abort
    const enough = new Promise<boolean>((resolve) => {
      const check = (): void => {
        if (this.allReady().length >= minimum) resolve(true);
      };
      this.#waiting.add(check);
      stop.signal.addEventListener("abort", () => this.#waiting.delete(check), { once: true });
    });
    try {
      return await Promise.race([enough, timeUp]);
    } finally {
      stop.abort();
    }
  }
}

interface WaitOptions {
  readonly waitMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
