import type { PrivacyPolicy, PrivacySource, PrivacyState } from "@photinus/core/filter";
import { isAbsent, readLocatedJson } from "../located-file.ts";
import { privacyPolicyOf } from "./located-privacy.ts";
import type { PolicyFileModules } from "./policy-file.ts";
import { WatchedFile } from "./watched-file.ts";

/**
 * The privacy policy of a site, in a file that people edit while the program runs. Without a valid file no job is taken. One that
 * was valid and is broken or gone refuses new jobs until it is repaired; jobs that run go on under the last valid one.
 */
export class PrivacyFile {
  readonly #path: string;
  readonly #modules: PolicyFileModules;
  readonly #file: WatchedFile;
  #state: PrivacyState = { problem: "it has not been read yet" };

  constructor(path: string, modules: PolicyFileModules) {
    this.#path = path;
    this.#modules = modules;
    this.#file = new WatchedFile(path, {
      clock: modules.clock,
      changed: () => this.#changed(),
      failed: (error) => {
        this.#state = withProblem(this.#state, "that it changed could not be recorded");
        modules.logger.error("a privacy policy could not be recorded", error);
      },
    });
  }

  /** The policy of now. */
  get source(): PrivacySource {
    return () => this.#state;
  }

  /** Reads the file and goes on to look. Idempotent. @throws StorageError when it could not be recorded */
  start(): Promise<void> {
    return this.#file.start();
  }

  /** Looks no more. Idempotent. */
  stop(): Promise<void> {
    return this.#file.stop();
  }

  async #changed(): Promise<void> {
    const next = await this.#read();
    this.#state = withProblem(this.#state, typeof next === "string" ? next : "it is being recorded");
    await this.#record(next);
    if (typeof next !== "string") this.#state = { policy: next };
  }

  /** @returns what is wrong with it, or the policy */
  async #read(): Promise<PrivacyPolicy | string> {
    if (await isAbsent(this.#path)) {
      return `there is no ${this.#path}: begin with \`photinus policy default privacy > ${this.#path}\``;
    }
    try {
      return privacyPolicyOf(await readLocatedJson(this.#path));
    } catch (error) {
      return error instanceof Error ? error.message : "it cannot be read";
    }
  }

  async #record(next: PrivacyPolicy | string): Promise<void> {
    const { logger, audit } = this.#modules;
    const record = { action: "policy", object: "privacy" };
    if (typeof next === "string") {
      logger.error("no job is taken until the privacy policy is repaired", undefined, { problem: next });
      await audit.record({ ...record, outcome: "failed", reason: "ERR_PRIVACY_POLICY_INVALID" });
      return;
    }
    logger.info("privacy policy in force", { file: this.#path, scopes: next.scopes.size });
    await audit.record({ ...record, outcome: "done", details: { scopes: next.scopes.size } });
  }
}

function withProblem({ policy }: PrivacyState, problem: string): PrivacyState {
  return policy === undefined ? { problem } : { policy, problem };
}
