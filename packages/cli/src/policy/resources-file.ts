import type { AuditLog } from "@photinus/core/audit";
import { HostError } from "@photinus/core/errors";
import type { Clock, Logger } from "@photinus/core/platform";
import {
  NO_RESOURCES,
  type ResourceSettings,
  type ResourceSource,
  resourceSettingsSchema,
  type UnusableResources,
} from "@photinus/core/site";
import { isAbsent, readLocatedJson } from "../located-file.ts";
import { checkDocument } from "../yaml/check-document.ts";
import { DocumentFault } from "../yaml/positioned-document.ts";
import { WatchedFile } from "./watched-file.ts";

/** What {@link ResourcesFile} works with. */
export interface ResourcesFileModules {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where it is recorded what holds. */
  readonly audit: AuditLog;
}

/**
 * What a site has for jobs, in a file that people edit while the program runs. With one that cannot be used, or that was there and
 * is gone, no further job gets a place until it is repaired; jobs that run keep what they have. Where there never was one, there is nothing
 * that jobs may ask for.
 */
export class ResourcesFile {
  readonly #path: string;
  readonly #modules: ResourcesFileModules;
  readonly #file: WatchedFile;
  #settings: ResourceSettings | UnusableResources = { unusable: "it has not been read yet" };
  #wasThere = false;

  constructor(path: string, modules: ResourcesFileModules) {
    this.#path = path;
    this.#modules = modules;
    this.#file = new WatchedFile(path, {
      clock: modules.clock,
      changed: () => this.#changed(),
      failed: (error) => {
        this.#settings = { unusable: "that it changed could not be recorded" };
        modules.logger.error("resources could not be recorded", error);
      },
    });
  }

  /** The settings of now. */
  get source(): ResourceSource {
    return () => this.#settings;
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
    // What is recorded has its effect, and nothing before.
    this.#settings = "unusable" in next ? next : { unusable: "it is being recorded" };
    await this.#record(next);
    this.#settings = next;
  }

  async #read(): Promise<ResourceSettings | UnusableResources> {
    if (await isAbsent(this.#path)) {
      return this.#wasThere ? { unusable: "the file was removed" } : NO_RESOURCES;
    }
    this.#wasThere = true;
    try {
      return await readResources(this.#path);
    } catch (error) {
      return { unusable: error instanceof Error ? error.message : "it cannot be read" };
    }
  }

  async #record(next: ResourceSettings | UnusableResources): Promise<void> {
    const { logger, audit } = this.#modules;
    const record = { action: "policy", object: "resources" };
    if ("unusable" in next) {
      const { unusable: problem } = next;
      logger.error("no further job gets a place until the resources are repaired", undefined, { problem });
      await audit.record({ ...record, outcome: "failed", reason: "ERR_CONFIG_INVALID" });
      return;
    }
    const { gpus = [], units = {} } = next;
    logger.info("resources in force", { file: this.#path, gpus: gpus.length });
    const details = { gpus: gpus.length, units: Object.keys(units).length };
    await audit.record({ ...record, outcome: "done", details });
  }
}

/** Reads `resources.json`. @throws HostError `ERR_CONFIG_INVALID` with file, line and column */
export async function readResources(path: string): Promise<ResourceSettings> {
  const { document } = await readLocatedJson(path);
  try {
    return checkDocument(document, resourceSettingsSchema);
  } catch (cause) {
    if (!(cause instanceof DocumentFault)) throw cause;
    throw new HostError("ERR_CONFIG_INVALID", `${cause.position} ${cause.message}`, { cause });
  }
}
