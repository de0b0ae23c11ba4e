import * as v from "valibot";
import { whole } from "../../job/index.ts";
import { DEFAULT_LIMITS } from "../job-limits.ts";
import type { SiteLimits } from "../options.ts";

/** Version of the format of `resources.json`. */
const RESOURCES_VERSION = "1.0";

/** GPUs of a host that jobs may ask for. */
const MAX_RESOURCE_GPUS = 64;
/** GiB of one of them. */
const MAX_GPU_MEMORY_GIB = 4096;
/** Named lists of units. */
const MAX_RESOURCE_LISTS = 64;
/** Units of one list. */
const MAX_RESOURCE_UNITS = 10_000;
/** Seconds for which what was promised to a job is kept for it. */
const MAX_RESERVATION_SECONDS = 300;

/** What a site has for jobs, and how much of it: `resources.json`. FLARE: resource managers. */
export interface ResourceSettings {
  /** Version of the format. */
  readonly format_version: "1.0";
  /** The GPUs of the host, in the order of their numbers; at most 64. Default: none that jobs may ask for. */
  readonly gpus?: readonly {
    /** GiB that jobs may share. */
    readonly memoryGiB: number;
  }[];
  /** Named lists of units, such as licences: each unit is one job's at a time. Default: none. */
  readonly units?: Readonly<Record<string, readonly string[]>>;
  /** How long what was promised to a job is kept for it, 1 to 300 s. Default: 30. */
  readonly reservationSeconds?: number;
  /** What a job may ask for, and how many at once. */
  readonly limits?: Partial<SiteLimits>;
}

/** Settings that cannot be used, such as a file with a mistake: then no job is taken. */
export interface UnusableResources {
  /** What is wrong, for the people of this host. */
  readonly unusable: string;
}

/** The settings of now: a file may change while the program runs. */
export type ResourceSource = () => ResourceSettings | UnusableResources;

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const unitName = v.pipe(v.string("text"), v.regex(NAME, "lower-case letters, digits, dots, hyphens"));
const unit = v.pipe(
  v.string("text"),
  v.minLength(1, "at least 1 character"),
  v.maxLength(100, "at most 100 characters"),
);
const memoryGiB = v.pipe(
  v.number("a number"),
  v.gtValue(0, "greater than 0"),
  v.maxValue(MAX_GPU_MEMORY_GIB, `at most ${MAX_GPU_MEMORY_GIB}`),
);
const units = v.pipe(
  v.array(unit, "a list of units"),
  v.maxLength(MAX_RESOURCE_UNITS, `at most ${MAX_RESOURCE_UNITS} units`),
  v.check((names) => new Set(names).size === names.length, "it names a unit twice"),
);

/** Schema of `resources.json`. */
export const resourceSettingsSchema: v.GenericSchema<unknown, ResourceSettings> = v.strictObject({
  format_version: v.literal(RESOURCES_VERSION),
  gpus: v.exactOptional(
    v.pipe(
      v.array(v.strictObject({ memoryGiB }), "a list of GPUs"),
      v.maxLength(MAX_RESOURCE_GPUS, `at most ${MAX_RESOURCE_GPUS} GPUs`),
    ),
  ),
  units: v.exactOptional(
    v.pipe(
      v.record(unitName, units),
      v.check((map) => Object.keys(map).length <= MAX_RESOURCE_LISTS, `at most ${MAX_RESOURCE_LISTS} lists`),
    ),
  ),
  reservationSeconds: v.exactOptional(whole(1, MAX_RESERVATION_SECONDS)),
  limits: v.exactOptional(
    v.strictObject({
      rounds: v.exactOptional(whole(1, 100_000)),
      localEpochs: v.exactOptional(whole(1, 1000)),
      modelBytes: v.exactOptional(whole(1, 2 ** 32)),
      concurrentJobs: v.exactOptional(whole(0, 1000)),
    }),
  ),
});

/** A `resources.json` to begin with: it says what holds without one. */
export const DEFAULT_RESOURCES_DOCUMENT: ResourceSettings = {
  format_version: RESOURCES_VERSION,
  gpus: [],
  units: {},
  reservationSeconds: 30,
  limits: DEFAULT_LIMITS,
};

/** What holds where there is no file: nothing that jobs may ask for, and the limits of the site's options. */
export const NO_RESOURCES: ResourceSettings = { format_version: RESOURCES_VERSION };
