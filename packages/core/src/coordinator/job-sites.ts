import { WireError } from "../errors/index.ts";
import type { JobReady } from "../message/index.ts";
import { type Clock, sleep } from "../platform/index.ts";
import type { JobBoard } from "./job-board.ts";
import type { LiveSite } from "./live-site.ts";

/** How far one connected site is with a job. */
interface Participation {
  readonly site: LiveSite;
  hasConsented: boolean;
  hasDeclined: boolean;
  isReady: boolean;
  /** How often it has consented and declined. */
  decisions: number;
}

const UNDECIDED = { hasConsented: false, hasDeclined: false, isReady: false, decisions: 0 };

/** Each decision is a durable record, so a session has only so many for one job. */
const MAX_DECISIONS = 16;

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
    this.#participations.set(site.name, { site, ...UNDECIDED });
    const { org, runtime } = site;
    this.#board.updateSite(site.name, { org, runtime, phase: "connected", progress: 0 });
  }

  /** The site's session ended; a newer session of the same name stays. @returns true when it was the present one */
  remove(site: LiveSite): boolean {
    if (this.#participations.get(site.name)?.site !== site) return false;
    this.#participations.delete(site.name);
    this.#wake();
    this.#board.updateSite(site.name, { phase: "disconnected", progress: 0 });
    return true;
  }

  /**
   * The site takes part.
   * @returns false when it is not connected, or takes part already
   * @throws WireError `ERR_RATE_LIMITED` when it has changed its mind too often
   */
  consented(name: string): boolean {
    const participation = this.#participations.get(name);
    if (participation === undefined || participation.hasConsented) return false;
    requireDecisionLeft(participation);
    participation.hasConsented = true;
    participation.hasDeclined = false;
    this.#board.updateSite(name, { phase: "preparing", progress: 0, cause: "", detail: "" });
    return true;
  }

  /**
   * The site does not take part, or can no longer: that always has its effect.
   * @param detail what the site said, for people
   * @throws WireError `ERR_RATE_LIMITED` when it has changed its mind too often for another record
   */
  declined(name: string, cause: string, detail = ""): void {
    const participation = this.#participations.get(name);
    if (participation === undefined) return;
    participation.hasConsented = false;
    participation.hasDeclined = true;
    participation.isReady = false;
    this.#board.updateSite(name, { phase: "refused", cause, detail, progress: 0 });
    this.#wake();
    requireDecisionLeft(participation);
  }

  /** The site's trainer is prepared. @returns false when it has not consented */
  ready(name: string, { device, trainingExamples, heldOutExamples }: JobReady): boolean {
    const participation = this.#participations.get(name);
    if (participation?.hasConsented !== true) return false;
    participation.isReady = true;
    this.#board.updateSite(name, { phase: "idle", progress: 0, device, trainingExamples, heldOutExamples });
    this.#wake();
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

  /** True when the site takes no part, in this session of it. */
  hasRefused(site: LiveSite): boolean {
    const participation = this.#participations.get(site.name);
    return participation?.site === site && participation.hasDeclined;
  }

  /** What is missing for a round; empty when enough sites are ready, the mandatory ones among them. */
  lackOf({ minimumSites, mandatorySites }: Needed): string {
    const ready = this.allReady().length;
    const absent = mandatorySites.find((name) => this.findReady(name) === undefined);
    if (absent !== undefined) return `the mandatory site ${absent} was not ready`;
    return ready < minimumSites ? `${ready} of ${minimumSites} sites were ready` : "";
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

  /** True when a connected site was offered the job and has neither got ready nor declined. */
  hasUndecided(): boolean {
    return [...this.#participations.values()].some(({ isReady, hasDeclined }) => !isReady && !hasDeclined);
  }

  /**
   * Waits until `isDone`, which is asked again whenever a site's standing changes, at most `waitMs`.
   * @returns false when the time was up first
   * @throws the signal's reason
   */
  async waitUntil(isDone: () => boolean, { waitMs, clock, signal }: WaitOptions): Promise<boolean> {
    if (isDone()) return true;
    const stop = new AbortController();
    const timeUp = sleep(clock, waitMs, AbortSignal.any([signal, stop.signal])).then(() => false);
    timeUp.catch(() => undefined); // a stopped wait is no fault; the race below tells of a real abort
    const done = new Promise<boolean>((resolve) => {
      const check = (): void => {
        if (isDone()) resolve(true);
      };
      this.#waiting.add(check);
      stop.signal.addEventListener("abort", () => this.#waiting.delete(check), { once: true });
    });
    try {
      return await Promise.race([done, timeUp]);
    } finally {
      stop.abort();
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

function requireDecisionLeft(participation: Participation): void {
  participation.decisions += 1;
  if (participation.decisions <= MAX_DECISIONS) return;
  throw new WireError("ERR_RATE_LIMITED", `the site has decided about this job ${MAX_DECISIONS} times`);
}

/** What a round needs. */
interface Needed {
  readonly minimumSites: number;
  readonly mandatorySites: readonly string[];
}

interface WaitOptions {
  readonly waitMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
