import { ProvisionError } from "@photinus/core/errors";
import { parseRoster, type Roster, type RosterSource } from "@photinus/core/provision";
import { readSmallFile } from "@photinus/node-platform";
import type { SettingsFileModules } from "./settings-file.ts";
import { WatchedFile } from "./watched-file.ts";

/** A list of sites and members grows with the project. */
const MAX_ROSTER_BYTES = 4 * 1_048_576;

/**
 * Sites, scopes and studies of the project, in a file that an administrator puts beside the kit of the server while it runs.
 * Where there never was one, nothing is known of them. What was valid last stays when the file is removed or cannot be read:
 * without it the members of a study would have no study.
 */
export class RosterFile {
  readonly #path: string;
  readonly #modules: SettingsFileModules;
  readonly #file: WatchedFile;
  #roster: Roster | undefined;
  #changed = (): void => undefined;

  constructor(path: string, modules: SettingsFileModules) {
    this.#path = path;
    this.#modules = modules;
    this.#file = new WatchedFile(path, {
      clock: modules.clock,
      changed: (version) => this.#read(version),
      failed: (error) => modules.logger.error("the roster that was valid before stays", error),
    });
  }

  /** The roster of now. */
  get source(): RosterSource {
    return () => this.#roster;
  }

  /** Calls `listener` after each change. */
  watch(listener: () => void): void {
    this.#changed = listener;
  }

  /** Reads the file and goes on to look. Idempotent. @throws ProvisionError `ERR_KIT_UNREADABLE`; StorageError */
  async start(): Promise<void> {
    await this.#file.start();
    if (this.#roster === undefined) this.#modules.logger.info("sites, scopes and studies are not known");
  }

  /** Looks no more. Idempotent. */
  stop(): Promise<void> {
    return this.#file.stop();
  }

  async #read(version: string): Promise<void> {
    const { audit, logger } = this.#modules;
    if (version === "") {
      if (this.#roster !== undefined) logger.error("the roster was removed; the one before stays");
      return;
    }
    let roster: Roster;
    try {
      roster = parseRoster(await readSmallFile(this.#path, MAX_ROSTER_BYTES));
    } catch (error) {
      await audit.record({
        action: "policy",
        object: "roster",
        outcome: "failed",
        reason: "ERR_KIT_UNREADABLE",
      });
      if (this.#roster === undefined) throw error;
      if (!(error instanceof ProvisionError)) throw error;
      logger.error("the roster cannot be used; the one before stays", error);
      return;
    }
    const details = { sites: roster.sites.size, studies: roster.studies?.size ?? 0 };
    await audit.record({ action: "policy", object: "roster", outcome: "done", details });
    this.#roster = roster;
    logger.info("roster in force", { file: this.#path, ...details });
    this.#changed();
  }
}
