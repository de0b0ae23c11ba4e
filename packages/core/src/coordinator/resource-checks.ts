import type { Bytes } from "../bytes/index.ts";
import { PluginError } from "../errors/index.ts";
import { type JobDefinition, needAt, type ResourceNeed, resourceFacts } from "../job/index.ts";
import { type ResourceAnswer, resourceAnswer, resourceCancel, resourceCheck } from "../message/index.ts";
import type { Clock } from "../platform/index.ts";
import type { PluginHost } from "../plugin/index.ts";
import { type MessageRoute, on } from "../session/index.ts";
import { ignoreLostSession } from "./answer-site.ts";
import type { LiveSite } from "./live-site.ts";

/** A site that has not said within this time that it has what a job needs does not have it. */
const ANSWER_MS = 5000;

/** A job whose sites are asked. */
export interface CheckedJob {
  readonly jobId: string;
  readonly definition: Pick<JobDefinition, "deployment">;
}

/** What sites said. */
export interface CheckResult {
  /** Names of those that have what the job needs, or of which it needs nothing. */
  readonly willing: readonly string[];
  /** What the others lack. */
  readonly lacks: ReadonlyMap<string, string>;
  /** Gives back what is kept for the job. */
  readonly cancel: () => void;
}

type Answer = Pick<ResourceAnswer, "token" | "lacks">;

/** Asks sites whether they have what a job needs of them, before it is given to any. FLARE: check_resources. */
export class ResourceChecks {
  readonly #clock: Clock;
  readonly #plugins: PluginHost;
  /** By job and site. */
  readonly #asked = new Map<string, (answer: Answer) => void>();

  constructor(clock: Clock, plugins: PluginHost) {
    this.#clock = clock;
    this.#plugins = plugins;
  }

  /** True when the job needs something of one of the sites. */
  isNeeded({ definition }: CheckedJob, sites: readonly string[]): boolean {
    return sites.some((name) => needAt(definition.deployment, name) !== undefined);
  }

  /** Asks all of them at once. Never rejects. */
  async ask(job: CheckedJob, sites: readonly LiveSite[]): Promise<CheckResult> {
    const answers = await Promise.all(
      sites.map(async (site) => ({ site, answer: await this.#askOne(job, site) })),
    );
    const willing = answers.filter(({ answer }) => answer.lacks === "");
    const lacks = answers.filter(({ answer }) => answer.lacks !== "");
    return {
      willing: willing.map(({ site }) => site.name),
      lacks: new Map(lacks.map(({ site, answer }) => [site.name, answer.lacks])),
      cancel: () => {
        for (const { site, answer } of willing)
          if (answer.token !== undefined) cancel(job, site, answer.token);
      },
    };
  }

  /** Waits for no answer that is still out. */
  stop(): void {
    for (const tell of this.#asked.values()) tell({ lacks: "the server stops" });
  }

  /** What sites answer. An answer that nobody waits for has no effect. */
  get route(): MessageRoute {
    return on(resourceAnswer, ({ jobId, token, lacks }, _message, { peer }) => {
      const isKept = token !== undefined && lacks === "";
      const answer = isKept ? { token, lacks } : { lacks: lacks || "it did not say what it lacks" };
      this.#asked.get(keyOf(jobId, peer.name))?.(answer);
    });
  }

  async #refusal(jobId: string, need: ResourceNeed, site: LiveSite): Promise<string | undefined> {
    const facts = resourceFacts(jobId, need, site.name);
    const { signal } = site.session;
    try {
      await this.#plugins.require("resourceCheck", facts, { signal, correlation: jobId });
      return undefined;
    } catch (error) {
      return error instanceof PluginError ? error.message : "it has left";
    }
  }

  async #askOne({ jobId, definition }: CheckedJob, site: LiveSite): Promise<Answer> {
    const need = needAt(definition.deployment, site.name);
    if (need === undefined) return { lacks: "" };
    const refusal = await this.#refusal(jobId, need, site);
    if (refusal !== undefined) return { lacks: refusal };
    const key = keyOf(jobId, site.name);
    const answer = new Promise<Answer>((resolve) => {
      const timer = this.#clock.after(ANSWER_MS, () => resolve({ lacks: "it did not answer" }));
      this.#asked.set(key, (told) => {
        timer.cancel();
        resolve(told);
      });
    });
    await ignoreLostSession(site.session.send(resourceCheck, { jobId, ...need }, { scope: jobId }));
    try {
      return await answer;
    } finally {
      this.#asked.delete(key);
    }
  }
}

function cancel({ jobId }: CheckedJob, { session }: LiveSite, token: Bytes): void {
  // A site that does not hear of it lets it expire.
  ignoreLostSession(session.send(resourceCancel, { jobId, token }, { scope: jobId })).catch(() => undefined);
}

const keyOf = (jobId: string, site: string): string => `${jobId} ${site}`;
