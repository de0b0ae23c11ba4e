import type { AuditLog } from "../audit/index.ts";
import { PluginError } from "../errors/index.ts";
import { Allowance, type Clock, type Logger, type Metrics, noMetrics, sleep } from "../platform/index.ts";
import { requirePlugins } from "./check-plugin.ts";
import { frozenFacts } from "./frozen-facts.ts";
import type {
  EventHandlers,
  Plugin,
  PluginEvent,
  PluginEvents,
  PluginVerdict,
  VetoFacts,
  VetoHandlers,
  VetoHook,
} from "./plugin.ts";

const DEFAULT_TIME_LIMIT_MS = 5000;
/** Longest reason that is told. */
const MAX_REASON = 300;
/** Calls of one plug-in that have outlived their time and still run; with so many it is asked no more. */
export const MAX_HUNG_CALLS = 16;
/** Refusals that are recorded at once, and further ones in a second: what a stranger can cause fills no disk. */
const RECORDS = { atOnce: 256, perSecond: 1 } as const;

/** What a {@link PluginHost} works with. */
export interface PluginHostModules {
  /** Time limits. */
  readonly clock: Clock;
  /** Where it is logged that a plug-in failed. */
  readonly logger: Logger;
  /** Where refusals are recorded. Default: nowhere. */
  readonly audit?: AuditLog;
  /** Where failures are counted. Default: nowhere. */
  readonly metrics?: Metrics;
}

/** What a plug-in is asked beside its facts. */
export interface VetoOptions {
  /** Ends the wait: the thing is not wanted any more. */
  readonly signal?: AbortSignal;
  /** Job or session that ties audit records together. Default: none. */
  readonly correlation?: string;
}

/** How a plug-in came to its word. */
type Ground = "refused" | "failed" | "no-answer" | "unknown-answer" | "hung";
interface Refusal {
  readonly ground: Ground;
  readonly reason: string;
}

/** Something that a plug-in is asked. */
interface Question<Hook extends VetoHook> extends VetoOptions {
  readonly hook: Hook;
  readonly facts: VetoFacts[Hook];
}

/** The plug-ins of a host program: asked one after another in their order, told of what happened. */
export class PluginHost {
  readonly #plugins: readonly Plugin[];
  readonly #modules: PluginHostModules;
  readonly #records = new Allowance(RECORDS);
  /** Calls that outlived their time, by plug-in. */
  readonly #hung = new Map<Plugin, number>();

  /** @throws PluginError `ERR_PLUGIN_INVALID` for what is no plug-in */
  constructor(plugins: readonly Plugin[], modules: PluginHostModules) {
    requirePlugins(plugins);
    this.#plugins = plugins;
    this.#modules = modules;
  }

  /** True when some plug-in is asked there. */
  asks(hook: VetoHook): boolean {
    return this.#plugins.some(({ veto }) => veto?.[hook] !== undefined);
  }

  /**
   * Resolves when all plug-ins allow it.
   * @throws PluginError `ERR_PLUGIN_REFUSED` with the plug-in and its reason; the reason of the signal
   */
  async require<Hook extends VetoHook>(
    hook: Hook,
    facts: VetoFacts[Hook],
    options: VetoOptions = {},
  ): Promise<void> {
    for (const plugin of this.#plugins) {
      const handler: VetoHandlers[Hook] | undefined = plugin.veto?.[hook];
      if (handler === undefined) continue;
      const question = { hook, facts, ...options };
      const refusal = await this.#ask(plugin, handler, question);
      if (refusal !== undefined) await this.#refuse(plugin, refusal, question);
    }
  }

  /** Tells of what happened. Never throws; nobody waits for a handler. */
  emit<Event extends PluginEvent>(event: Event, facts: PluginEvents[Event]): void {
    for (const plugin of this.#plugins) {
      const handler: EventHandlers[Event] | undefined = plugin.on?.[event];
      if (handler === undefined) continue;
      void call(() => handler(frozenFacts(facts))).catch((error: unknown) =>
        this.#failed(plugin, event, error),
      );
    }
  }

  async #ask<Hook extends VetoHook>(
    plugin: Plugin,
    handler: NonNullable<VetoHandlers[Hook]>,
    { hook, facts, signal }: Question<Hook>,
  ): Promise<Refusal | undefined> {
    signal?.throwIfAborted();
    if ((this.#hung.get(plugin) ?? 0) >= MAX_HUNG_CALLS) {
      return { ground: "hung", reason: `${MAX_HUNG_CALLS} earlier calls have not come back` };
    }
    const { timeLimitMs = DEFAULT_TIME_LIMIT_MS } = plugin;
    const over = new AbortController();
    const answered = new AbortController();
    const answer = call(() => handler(frozenFacts(facts), over.signal));
    const stops = signal === undefined ? [answered.signal] : [answered.signal, signal];
    const late = sleep(this.#modules.clock, timeLimitMs, AbortSignal.any(stops)).then((): Refusal => {
      this.#countHung(plugin, answer);
      return { ground: "no-answer", reason: `it did not answer within ${timeLimitMs} ms` };
    });
    late.catch(() => undefined); // the answer came first
    try {
      const word = answer.then(refusalOf).catch((error: unknown) => this.#threw(plugin, hook, error));
      return await Promise.race([word, late]);
    } finally {
      answered.abort();
      over.abort(new PluginError("ERR_PLUGIN_REFUSED", "nobody waits for the answer"));
    }
  }

  #threw(plugin: Plugin, hook: VetoHook, error: unknown): Refusal {
    this.#failed(plugin, hook, error);
    // What it threw is for the log of this host: it may hold anything.
    return { ground: "failed", reason: "it failed to decide" };
  }

  #countHung(plugin: Plugin, answer: Promise<unknown>): void {
    this.#hung.set(plugin, (this.#hung.get(plugin) ?? 0) + 1);
    const back = (): void => void this.#hung.set(plugin, (this.#hung.get(plugin) ?? 1) - 1);
    answer.then(back, back);
  }

  async #refuse<Hook extends VetoHook>(
    { name: plugin }: Plugin,
    { ground, reason }: Refusal,
    { hook, correlation = "" }: Question<Hook>,
  ): Promise<never> {
    const { audit, clock, logger, metrics = noMetrics } = this.#modules;
    const code = "ERR_PLUGIN_REFUSED";
    logger.warn("a plug-in refused", { plugin, hook, ground, reason });
    metrics.count("photinus_plugin_refusals_total", 1, { hook, ground });
    if (audit !== undefined && this.#records.take(clock.now()) === 0) {
      const details = { hook, ground, why: reason };
      await audit.record({
        action: "plugin",
        object: plugin,
        outcome: "refused",
        reason: code,
        correlation,
        details,
      });
    }
    this.emit("refused", { plugin, hook, reason });
    throw new PluginError(code, `plug-in ${plugin}: ${reason}`);
  }

  #failed({ name: plugin }: Plugin, handler: VetoHook | PluginEvent, error: unknown): void {
    const { logger, metrics = noMetrics } = this.#modules;
    logger.error("a plug-in failed", error, { plugin, handler });
    metrics.count("photinus_plugin_failures_total", 1, { handler });
  }
}

/** What a handler returns, whether it throws, rejects or yields a promise of any make. */
async function call<Answer>(handler: () => Answer): Promise<Awaited<Answer>> {
  return await handler();
}

/** @returns `undefined` for the one answer that allows */
function refusalOf(verdict: PluginVerdict): Refusal | undefined {
  // From here on it is what a stranger's code returned, whatever its type says.
  const answer: unknown = verdict;
  if (typeof answer !== "object" || answer === null || !("allowed" in answer)) return UNKNOWN;
  if (answer.allowed === true) return undefined;
  if (answer.allowed !== false) return UNKNOWN;
  const reason = "reason" in answer && typeof answer.reason === "string" ? answer.reason : "";
  return {
    ground: "refused",
    reason: reason.slice(0, MAX_REASON).replace(/\p{Cs}$/u, "") || "no reason given",
  };
}

const UNKNOWN: Refusal = { ground: "unknown-answer", reason: "its answer is none that is known" };
