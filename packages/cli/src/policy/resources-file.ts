import { HostError } from "@photinus/core/errors";
import {
  NO_RESOURCES,
  type ResourceSettings,
  type ResourceSource,
  resourceSettingsSchema,
} from "@photinus/core/site";
import { readLocatedJson } from "../located-file.ts";
import { checkDocument } from "../yaml/check-document.ts";
import { DocumentFault } from "../yaml/positioned-document.ts";
import { SettingsFile, type SettingsFileModules, type SettingsKind } from "./settings-file.ts";

/** `resources.json`: what a site has for jobs. */
export const RESOURCES: SettingsKind<ResourceSettings> = {
  object: "resources",
  title: "list of resources",
  refusal: "no further job gets a place until the resources are repaired",
  code: "ERR_CONFIG_INVALID",
  read: readResources,
  absent: { settings: NO_RESOURCES },
  facts: ({ gpus = [], units = {} }) => ({ gpus: gpus.length, units: Object.keys(units).length }),
};

/**
 * What a site has for jobs, in a file that people edit while the program runs. With one that cannot be used, or that was there and
 * is gone, no further job gets a place until it is repaired; jobs that run keep what they have. Where there never was one, there is nothing
 * that jobs may ask for.
 */
export class ResourcesFile extends SettingsFile<ResourceSettings> {
  constructor(path: string, modules: SettingsFileModules) {
    super(path, RESOURCES, modules);
  }

  /** The settings of now. */
  get source(): ResourceSource {
    return () => {
      const { settings, problem } = this.standing;
      return settings !== undefined && problem === undefined ? settings : { unusable: problem ?? "" };
    };
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
