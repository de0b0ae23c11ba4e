import type { AuditLog } from "@photinus/core/audit";
import {
  defaultPolicy,
  type Policy,
  type PolicySource,
  type UnusablePolicy,
} from "@photinus/core/authorization";
import type { Clock, Logger, Timer } from "@photinus/core/platform";
import { fileVersion } from "@photinus/node-platform";
import { isAbsent } from "../located-file.ts";
import { readPolicy } from "./located-policy.ts";

/** What {@link PolicyFile} works with. */
export interface PolicyFileModules {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where it is recorded which policy holds. */
  readonly audit: AuditLog;
}

/** A policy has its effect within a second after it was saved. */
const LOOK_MS = 500;

/**
 * The policy of a site or server, in a file that people edit while the program runs. A file that cannot be used refuses
 * everything until it is repaired, and so does one that was there and is gone; where there never was one, the default holds.
 */
export class PolicyFile {
  readonly #path: string;
  readonly #modules: PolicyFileModules;
  #policy: Policy | UnusablePolicy = { unusable: "it has not been read yet" };
  #seen: string | undefined;
  /** There was a file at some time: from then on its absence is no default. */
  #wasThere = false;
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(path: string, modules: PolicyFileModules) {
    this.#path = path;
    this.#modules = modules;
  }

  /** The policy of now. */
  get source(): PolicySource {
    return () => this.#policy;
  }

  /** Reads the file and goes on to look. Idempotent. @throws StorageError when it could not be recorded */
  async start(): Promise<void> {
    if (this.#timer !== undefined) return;
    await this.#look();
    this.#schedule();
  }

  /** Looks no more. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = this.#modules.clock.after(LOOK_MS, () => {
      this.#looking = this.#look()
        .catch((error: unknown) => {
          this.#policy = { unusable: "that it changed could not be recorded" };
          this.#seen = undefined; // tried again
          this.#modules.logger.error("a policy could not be recorded", error);
        })
        .finally(() => this.#schedule());
    });
  }

  async #look(): Promise<void> {
    // Before the content: a change in between has another version, and is seen the next time.
    const version = await fileVersion(this.#path);
    if (version === this.#seen) return;
    this.#seen = version;
    const isMissing = version === "" && (await isAbsent(this.#path));
    if (!isMissing) this.#wasThere = true;
    const next = isMissing ? withoutFile(this.#wasThere) : await this.#read();
    // A stricter policy holds at once; a wider one when it is on record.
    this.#policy = "unusable" in next ? next : { unusable: "it is being recorded" };
    await this.#record(next, version);
    this.#policy = next;
  }

  async #read(): Promise<Policy | UnusablePolicy> {
    try {
      return (await readPolicy(this.#path)).policy;
    } catch (error) {
      return { unusable: error instanceof Error ? error.message : "it cannot be read" };
    }
  }

  async #record(policy: Policy | UnusablePolicy, version: string): Promise<void> {
    const { logger, audit } = this.#modules;
    const file = this.#path;
    if ("unusable" in policy) {
      logger.error("everything is refused until the policy is repaired", undefined, {
        problem: policy.unusable,
      });
      await audit.record({
        action: "policy",
        object: "authorization",
        outcome: "failed",
        reason: "ERR_POLICY_INVALID",
      });
      return;
    }
    const source = version === "" ? "default" : "file";
    logger.info("policy in force", { file, source });
    const details = { source, roles: policy.roles.size };
    await audit.record({ action: "policy", object: "authorization", outcome: "done", details });
  }
}

function withoutFile(wasThere: boolean): Policy | UnusablePolicy {
  return wasThere ? { unusable: "the file was removed" } : defaultPolicy();
}
