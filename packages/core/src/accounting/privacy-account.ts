import type { Bytes } from "../bytes/index.ts";
import { FilterError } from "../errors/index.ts";
import { addReleases, type Mechanism, type PrivacyBudget, type Releases, releasesIn } from "./mechanism.ts";
import { epsilonOf } from "./renyi.ts";
import {
  decodeSpending,
  encodeSpending,
  type JobReleases,
  MAX_SPENDING_JOBS,
  MAX_SPENDING_MECHANISMS,
  type ScopeSpending,
  type SpendingStore,
} from "./spending.ts";

/** Who releases what, in which scope. */
export interface ReleaseOrder {
  /** Name of the scope. */
  readonly scope: string;
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** What each release goes through. */
  readonly mechanisms: readonly Mechanism[];
  /** What may be spent in the scope; `undefined`: it is added up and nothing is refused. */
  readonly budget: PrivacyBudget | undefined;
}

/** Where a scope stands. */
export interface PrivacyStanding {
  /** Releases so far, over all jobs and mechanisms. */
  readonly releases: number;
  /** ε at the δ of the budget; absent where there is no budget. */
  readonly epsilon?: number;
}

interface Reservation {
  readonly scope: string;
  readonly mechanisms: readonly Mechanism[];
  readonly remaining: number;
}

/** What a site has spent of its privacy, by scope. What is spent is durable before anything leaves. */
export class PrivacyAccount {
  readonly #store: SpendingStore;
  /** By job: what it was admitted for and has not spent yet. */
  readonly #reserved = new Map<string, Reservation>();
  /** One change after another, of all scopes: two jobs never see the same remainder. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param store of this site alone */
  constructor(store: SpendingStore) {
    this.#store = store;
  }

  /**
   * A job asks to be admitted: all of its releases must fit beside what was spent and what other jobs may still spend.
   * What it released before a restart is not asked for again.
   *
   * @param count releases of the whole job
   * @throws FilterError `ERR_PRIVACY_BUDGET`; StorageError
   */
  reserve(order: ReleaseOrder, count: number): Promise<void> {
    return this.#inTurn(async () => {
      const { scope, jobId, mechanisms } = order;
      const spending = await this.#spendingOf(scope);
      const remaining = Math.max(0, count - countOf(spending, jobId));
      requireWithin(order, [...spending.releases, ...this.#othersIn(order), ...times(mechanisms, remaining)]);
      requireRoom(scope, addReleases(spending.releases, times(mechanisms, remaining)));
      this.#reserved.set(jobId, { scope, mechanisms, remaining });
    });
  }

  /**
   * Spends one release, durably. It must fit beside what other jobs were admitted for.
   * @returns with the ledger as it was written
   * @throws FilterError `ERR_PRIVACY_BUDGET`; StorageError: then nothing may leave
   */
  spend(order: ReleaseOrder): Promise<PrivacyStanding & { readonly ledger: Bytes }> {
    return this.#inTurn(async () => {
      const { scope, jobId, mechanisms, budget } = order;
      const spending = await this.#spendingOf(scope);
      const releases = addReleases(spending.releases, times(mechanisms, 1));
      requireWithin(order, [...releases, ...this.#othersIn(order)]);
      requireRoom(scope, releases);
      const ledger = encodeSpending({ releases, jobs: withRelease(spending.jobs, jobId) });
      await this.#store.write(scope, ledger);
      const reserved = this.#reserved.get(jobId);
      if (reserved !== undefined) {
        this.#reserved.set(jobId, { ...reserved, remaining: Math.max(0, reserved.remaining - 1) });
      }
      return { ...standing(releases, budget), ledger };
    });
  }

  /** Where a scope stands. @throws StorageError */
  standing(scope: string, budget: PrivacyBudget | undefined): Promise<PrivacyStanding> {
    return this.#inTurn(async () => standing((await this.#spendingOf(scope)).releases, budget));
  }

  /** The job has ended: what it did not spend is free for others. In its turn: a job may end while it is being admitted. */
  release(jobId: string): void {
    this.#last = this.#last.then(() => this.#reserved.delete(jobId));
  }

  async #spendingOf(scope: string): Promise<ScopeSpending> {
    const bytes = await this.#store.read(scope);
    return bytes === undefined ? { releases: [], jobs: [] } : decodeSpending(bytes);
  }

  #othersIn({ scope, jobId }: ReleaseOrder): readonly Releases[] {
    return [...this.#reserved]
      .filter(([other, reservation]) => other !== jobId && reservation.scope === scope)
      .flatMap(([, { mechanisms, remaining }]) => times(mechanisms, remaining));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined); // who asked is told; the next one begins anew
    return turn;
  }
}

function times(mechanisms: readonly Mechanism[], count: number): readonly Releases[] {
  return count === 0 ? [] : mechanisms.map((mechanism) => ({ mechanism, count }));
}

function countOf({ jobs }: ScopeSpending, jobId: string): number {
  return jobs.find((job) => job.jobId === jobId)?.count ?? 0;
}

function withRelease(jobs: readonly JobReleases[], jobId: string): readonly JobReleases[] {
  const count = 1 + (jobs.find((job) => job.jobId === jobId)?.count ?? 0);
  return [...jobs.filter((job) => job.jobId !== jobId), { jobId, count }].slice(-MAX_SPENDING_JOBS);
}

function standing(releases: readonly Releases[], budget: PrivacyBudget | undefined): PrivacyStanding {
  const count = releasesIn(releases);
  if (budget === undefined) return { releases: count };
  return { releases: count, epsilon: epsilonOf(releases, budget.delta).epsilon };
}

function requireWithin({ scope, budget }: ReleaseOrder, releases: readonly Releases[]): void {
  if (budget === undefined) return;
  const { epsilon } = epsilonOf(addReleases(releases), budget.delta);
  // Not "greater": what is no number is over the budget too.
  if (epsilon <= budget.epsilon) return;
  const needed = Number.isFinite(epsilon) ? epsilon.toPrecision(4) : "no finite";
  throw new FilterError(
    "ERR_PRIVACY_BUDGET",
    `scope ${scope} may spend epsilon ${budget.epsilon} at delta ${budget.delta}, and this needs ${needed} in all`,
  );
}

function requireRoom(scope: string, { length }: readonly Releases[]): void {
  if (length <= MAX_SPENDING_MECHANISMS) return;
  throw new FilterError(
    "ERR_PRIVACY_BUDGET",
    `more than ${MAX_SPENDING_MECHANISMS} mechanisms in scope ${scope}`,
  );
}
