import type { AuditLog } from "@photinus/core/audit";
import {
  defaultPolicy,
  type Policy,
  type PolicySource,
  type UnusablePolicy,
} from "@photinus/core/authorization";
import type { Clock, Logger } from "@photinus/core/platform";
import { isAbsent } from "../located-file.ts";
import { readPolicy } from "./located-policy.ts";
import { WatchedFile } from "./watched-file.ts";

/** What {@link PolicyFile} works with. */
export interface PolicyFileModules {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where it is recorded which policy holds. */
  readonly audit: AuditLog;
}

/**
 * The policy of a site or server, in a file that people edit while the program runs. A file that cannot be used refuses
 * everything until it is repaired, and so does one that was there and is gone; where there never was one, the default holds.
 */
export class PolicyFile {
  readonly #path: string;
  readonly #modules: PolicyFileModules;
  readonly #file: WatchedFile;
  #policy: Policy | UnusablePolicy = { unusable: "it has not been read yet" };
  /** There was a file at some time: from then on its absence is no default. */
  #wasThere = false;

  constructor(path: string, modules: PolicyFileModules) {
    this.#path = path;
    this.#modules = modules;
    this.#file = new WatchedFile(path, {
      clock: modules.clock,
      changed: (version) => this.#changed(version),
      failed: (error) => {
        this.#policy = { unusable: "that it changed could not be recorded" };
        modules.logger.error("a policy could not be recorded", error);
      },
    });
  }

  /** The policy of now. */
  get source(): PolicySource {
    return () => this.#policy;
  }

  /** Reads the file and goes on to look. Idempotent. @throws StorageError when it could not be recorded */
  start(): Promise<void> {
    return this.#file.start();
  }

  /** Looks no more. Idempotent. */
  stop(): Promise<void> {
    return this.#file.stop();
  }

  async #changed(version: string): Promise<void> {
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
