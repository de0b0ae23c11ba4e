import { BUDGET_ACTION, ledgerDetails, memorySpending, PrivacyAccount } from "../accounting/index.ts";
import type { AuditLog } from "../audit/index.ts";
import { FilterError, PhotinusError } from "../errors/index.ts";
import {
  type AppliedFilter,
  FilterChain,
  type FilterPoint,
  type FilterRegistry,
  filterRegistry,
  type PrivacyPolicy,
  type PrivacyScope,
  type PrivacySource,
} from "../filter/index.ts";
import type { JobDefinition } from "../job/index.ts";
import type { Task } from "../message/index.ts";
import type { Clock, CryptoProvider, Random } from "../platform/index.ts";
import { ParameterSet } from "../tensor/index.ts";
import type { ProposedScope, SiteModules } from "./options.ts";
import type { AppliedFilterStatus, OutgoingPrivacy } from "./status.ts";

/** What a site's privacy rests on. */
export interface PrivacyModules {
  /** `privacy.json` of now. */
  readonly privacy: PrivacySource;
  /** Filters that this site has. */
  readonly filters: FilterRegistry;
  /** What was spent here. */
  readonly account: PrivacyAccount;
  /** True when it is kept beyond the process: only then a scope may have a budget. */
  readonly keepsSpending: boolean;
  /** Where noise comes from. */
  readonly noise: Random;
  readonly audit: AuditLog | undefined;
  readonly clock: Pick<Clock, "yield">;
  readonly crypto: CryptoProvider;
}

type Spent = Awaited<ReturnType<PrivacyAccount["spend"]>>;

/** What a site's modules say of privacy, with defaults. */
export function privacyModules(modules: SiteModules): PrivacyModules {
  const { privacy, filters = filterRegistry(), spending, audit, clock, crypto } = modules;
  const noise = modules.noise ?? { bytes: (length) => crypto.randomBytes(length) };
  const account = new PrivacyAccount(spending ?? memorySpending());
  return { privacy, filters, account, keepsSpending: spending !== undefined, noise, audit, clock, crypto };
}

/** A job as far as privacy is concerned. */
export interface PrivateJob {
  readonly jobId: string;
  readonly definition: Pick<JobDefinition, "scope" | "filters" | "workflow">;
}

/** What may leave of a trained update. */
export interface Release {
  /** As it leaves. */
  readonly update: ParameterSet;
  /** False: losses and evaluations stay here. */
  readonly tellsMetrics: boolean;
  /** For the record that people see. */
  readonly privacy: OutgoingPrivacy;
}

type TaskFacts = Pick<Task, "taskId" | "round">;

interface Chains {
  /** The policy that they were made of. */
  readonly policy: PrivacyPolicy;
  readonly scope: PrivacyScope;
  readonly data: FilterChain;
  readonly result: FilterChain;
}

/** Why a job is not taken under the privacy policy of now; `undefined` when nothing speaks against it. */
export function privacyRefusal(job: PrivateJob, modules: PrivacyModules): string | undefined {
  const { policy, problem } = modules.privacy();
  // What is wrong, and in which file, is for the log of this host.
  if (policy === undefined || problem !== undefined) return "the privacy policy cannot be used at present";
  try {
    chainsOf(job, policy, modules);
    return undefined;
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return error.message;
  }
}

/**
 * Privacy of one job at one site: every tensor and every metric of it goes through here, in and out. An edited policy holds from
 * the next task on; a broken one leaves the last valid one in force.
 */
export class JobPrivacy {
  readonly #job: PrivateJob;
  readonly #modules: PrivacyModules;
  #chains: Chains | undefined;

  constructor(job: PrivateJob, modules: PrivacyModules) {
    this.#job = job;
    this.#modules = modules;
  }

  /** The scope of the job now. @throws FilterError */
  get scope(): ProposedScope {
    const { name, properties } = this.#present().scope;
    return { name, properties };
  }

  /**
   * Reserves what the whole job would spend, before anybody is asked and anything is trained.
   * @throws FilterError `ERR_PRIVACY_BUDGET`; StorageError
   */
  async begin(): Promise<void> {
    const { result, scope } = this.#present();
    if (result.mechanisms.length === 0) return;
    const { jobId, definition } = this.#job;
    const order = { scope: scope.name, jobId, mechanisms: result.mechanisms, budget: scope.budget };
    try {
      await this.#modules.account.reserve(order, definition.workflow.rounds);
    } catch (error) {
      await this.#refused(error, { action: BUDGET_ACTION, object: jobId });
      throw error;
    }
  }

  /** A version of the model comes in. @param trainable names of what filters may change @throws FilterError, StorageError */
  async receive(model: ParameterSet, trainable: readonly string[], task: TaskFacts): Promise<ParameterSet> {
    return await this.#recorded(task, async () => {
      const { data: chain } = this.#present();
      if (chain.isEmpty) return model;
      const before = select(model, trainable);
      const { data, applied } = await chain.apply({ kind: "model", parameters: before });
      await this.#record("site-data", applied, task);
      if (data === undefined || data.kind === "metrics") throw stays("model");
      const changed = data.parameters;
      return new ParameterSet(
        model.entries().map(([name, tensor]) => [name, changed.get(name) ?? tensor] as const),
      );
    });
  }

  /**
   * A trained update is to leave: spent, then filtered, then recorded. Spent first, for that a filter refuses it tells of the
   * data as well, and a server could ask for that without end. Nothing of it may leave otherwise.
   * @throws FilterError `ERR_FILTER_REFUSED`, `ERR_PRIVACY_BUDGET`; StorageError
   */
  async release(trained: ParameterSet, task: TaskFacts): Promise<Release> {
    return await this.#recorded(task, async () => {
      const { scope, result: chain } = this.#present();
      const standing = await this.#spend(scope, chain);
      if (standing !== undefined) await this.#recordStanding(scope, standing, task);
      const outcome = await chain.apply({ kind: "update", parameters: trained });
      const { data } = outcome;
      if (data === undefined || data.kind === "metrics") throw stays("update");
      const metrics = await chain.apply({ kind: "metrics" });
      await this.#record("site-result", [...outcome.applied, ...metrics.applied], task);
      return {
        update: data.parameters,
        tellsMetrics: metrics.data !== undefined,
        privacy: {
          scope: scope.name,
          filters: outcome.applied.map(shown),
          tellsMetrics: metrics.data !== undefined,
          ...(scope.budget === undefined || standing?.epsilon === undefined
            ? {}
            : {
                spent: { epsilon: standing.epsilon, budget: scope.budget.epsilon, delta: scope.budget.delta },
              }),
        },
      };
    });
  }

  /** May what was measured be told? @throws FilterError, StorageError */
  async tellsMetrics(task: TaskFacts): Promise<boolean> {
    return await this.#recorded(task, async () => {
      const { data, applied } = await this.#present().result.apply({ kind: "metrics" });
      await this.#record("site-result", applied, task);
      return data !== undefined;
    });
  }

  /** The job has ended: what it did not spend is free. */
  end(): void {
    this.#modules.account.release(this.#job.jobId);
  }

  #present(): Chains {
    const { policy } = this.#modules.privacy();
    if (policy === undefined) throw new FilterError("ERR_FILTER_REFUSED", "there is no valid privacy policy");
    if (this.#chains?.policy === policy) return this.#chains;
    // A job without a scope stays in the one that was the default when it came.
    const name = this.#chains?.scope.name ?? this.#job.definition.scope;
    const definition = { ...this.#job.definition, ...(name === undefined ? {} : { scope: name }) };
    this.#chains = chainsOf({ ...this.#job, definition }, policy, this.#modules);
    return this.#chains;
  }

  async #spend(scope: PrivacyScope, { mechanisms }: FilterChain): Promise<Spent | undefined> {
    if (mechanisms.length === 0) return undefined;
    const { jobId } = this.#job;
    return await this.#modules.account.spend({ scope: scope.name, jobId, mechanisms, budget: scope.budget });
  }

  /** Runs a step; that it was refused is on record before anybody is told. */
  async #recorded<T>({ taskId, round }: TaskFacts, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      await this.#refused(error, { action: "filter", object: taskId, details: { round } });
      throw error;
    }
  }

  async #refused(
    error: unknown,
    note: Pick<Parameters<AuditLog["record"]>[0], "action" | "object" | "details">,
  ): Promise<void> {
    if (!(error instanceof PhotinusError)) return;
    const { jobId: correlation } = this.#job;
    await this.#modules.audit?.record({ ...note, outcome: "refused", reason: error.code, correlation });
  }

  async #record(point: FilterPoint, applied: readonly AppliedFilter[], task: TaskFacts): Promise<void> {
    const { audit } = this.#modules;
    const { jobId: correlation } = this.#job;
    const { taskId: object, round } = task;
    // Asked for at once, they are one write to the disk.
    await Promise.all(
      applied.map(async (filter) => {
        const { name, origin, numbers } = shown(filter);
        const details = { ...numbers, filter: name, of: origin, point, kind: filter.kind, round };
        await audit?.record({ action: "filter", object, outcome: "done", correlation, details });
      }),
    );
  }

  async #recordStanding(
    { name: scope, budget }: PrivacyScope,
    { releases, epsilon, ledger }: Spent,
    { taskId: object, round }: TaskFacts,
  ): Promise<void> {
    const spent =
      epsilon === undefined || budget === undefined
        ? {}
        : { epsilon, budget: budget.epsilon, delta: budget.delta };
    const { audit, crypto } = this.#modules;
    const details = { scope, releases, round, ...spent, ...(await ledgerDetails(ledger, crypto)) };
    const correlation = this.#job.jobId;
    await audit?.record({ action: BUDGET_ACTION, object, outcome: "done", correlation, details });
  }
}

/** @throws FilterError `ERR_FILTER_REFUSED` in words for the submitter */
function chainsOf({ definition }: PrivateJob, policy: PrivacyPolicy, modules: PrivacyModules): Chains {
  const scope = scopeOf(definition.scope, policy);
  const { siteData = [], siteResult = [] } = definition.filters ?? {};
  const { filters: registry, noise: random, clock } = modules;
  const parts = { registry, random, clock };
  const data = new FilterChain({ point: "site-data", own: scope.dataFilters, job: siteData }, parts);
  const result = new FilterChain({ point: "site-result", own: scope.resultFilters, job: siteResult }, parts);
  if (scope.budget !== undefined && !modules.keepsSpending) {
    const detail = `scope ${scope.name} has a budget, and nothing keeps what is spent at this site`;
    throw new FilterError("ERR_FILTER_REFUSED", detail);
  }
  if (scope.budget !== undefined && result.mechanisms.length === 0) {
    const detail = `scope ${scope.name} has a budget, and no filter of the site or the job adds noise that counts`;
    throw new FilterError("ERR_FILTER_REFUSED", detail);
  }
  return { policy, scope, data, result };
}

function scopeOf(asked: string | undefined, { scopes, defaultScope }: PrivacyPolicy): PrivacyScope {
  const name = asked ?? defaultScope;
  if (name === undefined) {
    throw new FilterError("ERR_FILTER_REFUSED", "the job names no scope, and there is no default scope here");
  }
  const scope = scopes.get(name);
  if (scope === undefined) throw new FilterError("ERR_FILTER_REFUSED", `there is no scope ${name} here`);
  return scope;
}

function select(model: ParameterSet, names: readonly string[]): ParameterSet {
  const wanted = new Set(names);
  return new ParameterSet(model.entries().filter(([name]) => wanted.has(name)));
}

function shown({ name, origin, numbers }: AppliedFilter): AppliedFilterStatus {
  return { name, origin: origin === "own" ? "site" : "job", numbers };
}

function stays(kind: "model" | "update"): FilterError {
  return new FilterError("ERR_FILTER_REFUSED", `no ${kind} may pass here`);
}
