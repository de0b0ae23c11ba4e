import type { ErrorCode } from "../errors/index.ts";
import { type Evaluation, type MetricDefinition, mergeSums, unpackMetricSums } from "../job/index.ts";
import type { SiteEvaluation } from "../message/index.ts";
import type { Clock, Timer } from "../platform/index.ts";
import type { Dispatch, TaskOutcome } from "../workflow/index.ts";

/** What an accepted answer brought. */
export interface AcceptedAnswer {
  readonly exampleCount: number;
  readonly trainingLoss: number;
  readonly norm: number;
  /** Root of the stream in hex; empty for an evaluation. */
  readonly digest: string;
  readonly evaluation?: SiteEvaluation;
}

/** What a {@link Collection} works with. */
export interface CollectionModules {
  readonly clock: Clock;
  /** A site whose session ended may come back within this time, ms; the deadline of the task stands all the same. */
  readonly graceMs: number;
  /** What the job measures. */
  readonly metrics: readonly MetricDefinition[];
  /** Called once per site, in the order in which the sites settled. */
  readonly onSettled: (outcome: TaskOutcome) => void;
}

interface Asked {
  /** When the task was sent; the collection's start until then. */
  sinceMs: number;
  /** True once the task left for the site: a site that stays away after a restart was never sent it again. */
  wasSent: boolean;
  /** True once the site showed that it has the task. */
  wasHeard: boolean;
  /** Ends the upload when the site's time is up. */
  readonly upload: AbortController;
  isUploading: boolean;
  timer: Timer | undefined;
  /** Runs while the site is away. */
  grace: Timer | undefined;
  outcome: TaskOutcome | undefined;
}

/**
 * The answers to one dispatched task. Every asked site settles exactly once, with exactly one cause: accepted, refused
 * by a check, late (it had the task and was not done in time) or missing (it was never heard, or its session ended and
 * it did not come back).
 */
export class Collection {
  readonly dispatch: Dispatch;
  /** Every asked site once, the accepted ones in commit order, then the others by name. Rejects when stopped. */
  readonly answered: Promise<readonly TaskOutcome[]>;
  readonly #asked: ReadonlyMap<string, Asked>;
  readonly #timeoutMs: number;
  readonly #modules: CollectionModules;
  readonly #accepted: TaskOutcome[] = [];
  /** One array, however many sites there are. */
  #sums: Float64Array | undefined;
  #isStopped = false;
  #resolve: (outcomes: readonly TaskOutcome[]) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;

  constructor(dispatch: Dispatch, timeoutMs: number, modules: CollectionModules) {
    this.dispatch = dispatch;
    this.#timeoutMs = timeoutMs;
    this.#modules = modules;
    const sinceMs = modules.clock.now();
    this.#asked = new Map(dispatch.sites.map((site) => [site, newAsked(sinceMs)]));
    this.answered = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.answered.catch(() => undefined); // whoever aggregates awaits it
    for (const site of this.#asked.keys()) this.#startTime(site);
    this.#endWhenAnswered();
  }

  /** The task was sent: from now on the site's time runs. */
  sent(site: string): void {
    const asked = this.#open(site);
    if (asked === undefined || asked.wasSent) return; // sent again after a reconnect, it has no more time
    asked.wasSent = true;
    asked.sinceMs = this.#modules.clock.now();
    this.#startTime(site);
  }

  /** The site showed that it has the task. */
  heard(site: string): void {
    const asked = this.#open(site);
    if (asked !== undefined) asked.wasHeard = true;
  }

  /** Where an asked site stands; `undefined` for one that was not asked. */
  standing(site: string): "open" | "uploading" | TaskOutcome["outcome"] | undefined {
    const asked = this.#asked.get(site);
    if (asked === undefined) return undefined;
    return asked.outcome?.outcome ?? (asked.isUploading ? "uploading" : "open");
  }

  /** The site's answer was announced and is checked. @returns aborted when its time is up or its session ended */
  beginUpload(site: string): AbortSignal {
    const asked = this.#open(site);
    if (asked === undefined) throw new RangeError(`${site} has no open task`);
    asked.wasHeard = true;
    asked.isUploading = true;
    return asked.upload.signal;
  }

  /** The sums of the job's metrics of all accepted sites; undefined where none told any. */
  get sums(): Float64Array | undefined {
    return this.#sums;
  }

  /** The answer counts, and its sums are added to those of the others. @returns false when the site had settled before */
  accept(site: string, { evaluation, ...answer }: AcceptedAnswer): boolean {
    const told = evaluation === undefined ? {} : { evaluation: withoutSums(evaluation) };
    const outcome = { ...this.#outline(site), ...answer, ...told, outcome: "accepted", cause: "" } as const;
    if (!this.#settle(site, outcome)) return false;
    this.#addSums(evaluation);
    return true;
  }

  /** The answer does not count. @returns false when the site had settled before */
  refuse(site: string, cause: ErrorCode): boolean {
    return this.#settle(site, { ...this.#outline(site), outcome: "refused", cause });
  }

  /** The upload was interrupted: it may go on. @returns false when the site has settled */
  interrupted(site: string): boolean {
    const asked = this.#open(site);
    if (asked === undefined) return false;
    asked.isUploading = false;
    return true;
  }

  /** The site's session ended: it may come back for a while. */
  lost(site: string): void {
    const asked = this.#open(site);
    if (asked === undefined || asked.grace !== undefined || this.#isStopped) return;
    asked.grace = this.#modules.clock.after(this.#modules.graceMs, () => this.left(site));
  }

  /** The site is back and ready. */
  returned(site: string): void {
    const asked = this.#open(site);
    if (asked === undefined) return;
    asked.grace?.cancel();
    asked.grace = undefined;
  }

  /** The site is gone and is not waited for. */
  left(site: string): void {
    this.#settle(site, { ...this.#outline(site), outcome: "missing", cause: "ERR_SITE_DISCONNECTED" });
  }

  /** Ends without an answer: the job or the server stops. */
  stop(reason: unknown): void {
    this.#isStopped = true;
    for (const asked of this.#asked.values()) {
      asked.timer?.cancel();
      asked.grace?.cancel();
      if (asked.outcome === undefined) asked.upload.abort(reason);
    }
    this.#reject(reason);
  }

  #startTime(site: string): void {
    const asked = this.#open(site);
    if (asked === undefined) return;
    asked.timer?.cancel();
    asked.timer = this.#modules.clock.after(this.#timeoutMs, () => this.#timeUp(site, asked));
  }

  #timeUp(site: string, { wasHeard, wasSent, grace }: Asked): void {
    const outline = this.#outline(site);
    if (grace !== undefined) this.left(site);
    else if (wasHeard) this.#settle(site, { ...outline, outcome: "late", cause: "ERR_CONTRIBUTION_LATE" });
    else if (wasSent)
      this.#settle(site, { ...outline, outcome: "missing", cause: "ERR_CONTRIBUTION_MISSING" });
    else this.left(site);
  }

  #settle(site: string, outcome: TaskOutcome): boolean {
    const asked = this.#open(site);
    if (asked === undefined || this.#isStopped) return false;
    asked.outcome = outcome;
    asked.timer?.cancel();
    asked.grace?.cancel();
    if (outcome.outcome === "accepted") this.#accepted.push(outcome);
    else asked.upload.abort(outcome.cause);
    this.#modules.onSettled(outcome);
    this.#endWhenAnswered();
    return true;
  }

  #addSums(evaluation: SiteEvaluation | undefined): void {
    const sums = evaluation?.sums && unpackMetricSums(evaluation.sums, this.#modules.metrics);
    if (sums !== undefined) this.#sums = this.#sums === undefined ? sums : mergeSums([this.#sums, sums]);
  }

  #endWhenAnswered(): void {
    const outcomes = [...this.#asked.values()].flatMap(({ outcome }) =>
      outcome === undefined ? [] : [outcome],
    );
    if (outcomes.length < this.#asked.size) return;
    const others = outcomes.filter(({ outcome }) => outcome !== "accepted");
    this.#resolve([...this.#accepted, ...others.sort((a, b) => (a.site < b.site ? -1 : 1))]);
  }

  #open(site: string): Asked | undefined {
    const asked = this.#asked.get(site);
    return asked?.outcome === undefined ? asked : undefined;
  }

  #outline(site: string): Omit<TaskOutcome, "outcome" | "cause"> {
    const now = this.#modules.clock.now();
    const sinceMs = this.#asked.get(site)?.sinceMs ?? now;
    const milliseconds = Math.max(0, Math.round(now - sinceMs));
    return { site, exampleCount: 0, trainingLoss: 0, norm: 0, digest: "", milliseconds };
  }
}

/** What is kept of each site: not its sums, which thousands of sites would fill the memory with. */
function withoutSums({ loss, accuracy, exampleCount }: SiteEvaluation): Evaluation {
  return { loss, accuracy, exampleCount };
}

function newAsked(sinceMs: number): Asked {
  return {
    sinceMs,
    wasSent: false,
    wasHeard: false,
    upload: new AbortController(),
    isUploading: false,
    timer: undefined,
    grace: undefined,
    outcome: undefined,
  };
}
