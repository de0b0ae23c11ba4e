import type { AuditLog, AuditNote } from "@photinus/core/audit";
import type { ErrorCode } from "@photinus/core/errors";
import type { Clock, Logger } from "@photinus/core/platform";
import { isAbsent } from "../located-file.ts";
import { WatchedFile } from "./watched-file.ts";

/** What a {@link SettingsFile} works with. */
export interface SettingsFileModules {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where it is recorded what holds. */
  readonly audit: AuditLog;
}

/** What the settings are, and what is done with them. */
export interface SettingsKind<Settings> {
  /** In the audit chain. */
  readonly object: "authorization" | "privacy" | "resources";
  /** For the log: "policy". */
  readonly title: string;
  /** For the log: what happens while they cannot be used. */
  readonly refusal: string;
  /** In the audit chain, while they cannot be used. */
  readonly code: ErrorCode;
  /** @throws Error that tells people of this host what is wrong, and where */
  readonly read: (path: string) => Promise<Settings>;
  /** What holds where there never was a file; or what people of this host are told. */
  readonly absent: { readonly settings: Settings } | { readonly problem: (path: string) => string };
  /** Facts for log and audit chain; never more of the settings. */
  readonly facts: (settings: Settings, source: "file" | "default") => NonNullable<AuditNote["details"]>;
}

/** What holds now. */
export interface Standing<Settings> {
  /** What was valid last; absent: nothing was. */
  readonly settings?: Settings;
  /** What is wrong with the file now, for the people of this host. */
  readonly problem?: string;
}

/**
 * Settings in a file that people edit while the program runs. What is recorded has its effect, and nothing before; one that
 * cannot be used, or that was there and is gone, has it at once.
 */
export class SettingsFile<Settings extends object> {
  readonly #path: string;
  readonly #kind: SettingsKind<Settings>;
  readonly #modules: SettingsFileModules;
  readonly #file: WatchedFile;
  #standing: Standing<Settings> = { problem: "it has not been read yet" };
  /** There was a file at some time: from then on its absence is no default. */
  #wasThere = false;

  constructor(path: string, kind: SettingsKind<Settings>, modules: SettingsFileModules) {
    this.#path = path;
    this.#kind = kind;
    this.#modules = modules;
    this.#file = new WatchedFile(path, {
      clock: modules.clock,
      changed: (version) => this.#changed(version),
      failed: (error) => {
        this.#refuse("that it changed could not be recorded");
        modules.logger.error(`a ${kind.title} could not be recorded`, error);
      },
    });
  }

  /** What holds now. */
  get standing(): Standing<Settings> {
    return this.#standing;
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
    const next = isMissing ? this.#withoutFile() : await this.#read();
    const { settings, problem = "it is being recorded" } = next;
    this.#refuse(problem);
    if (settings === undefined) return await this.#recordProblem(problem);
    await this.#recordSettings(settings, isMissing ? "default" : "file");
    this.#standing = { settings };
  }

  /** What was valid stays known: what runs already may go on under it. */
  #refuse(problem: string): void {
    this.#standing = { ...this.#standing, problem };
  }

  async #read(): Promise<Standing<Settings>> {
    try {
      return { settings: await this.#kind.read(this.#path) };
    } catch (error) {
      return { problem: error instanceof Error ? error.message : "it cannot be read" };
    }
  }

  #withoutFile(): Standing<Settings> {
    const { absent } = this.#kind;
    if ("problem" in absent) return { problem: absent.problem(this.#path) };
    return this.#wasThere ? { problem: "the file was removed" } : absent;
  }

  async #recordProblem(problem: string): Promise<void> {
    const { logger, audit } = this.#modules;
    const { object, refusal, code } = this.#kind;
    logger.error(refusal, undefined, { problem });
    await audit.record({ action: "policy", object, outcome: "failed", reason: code });
  }

  async #recordSettings(settings: Settings, source: "file" | "default"): Promise<void> {
    const { logger, audit } = this.#modules;
    const { object, title, facts } = this.#kind;
    const details = facts(settings, source);
    logger.info(`${title} in force`, { file: this.#path, ...details });
    await audit.record({ action: "policy", object, outcome: "done", details });
  }
}
