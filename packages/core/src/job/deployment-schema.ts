import * as v from "valibot";
import type { DeploymentDefinition, ResourceNeed, RetentionDefinition } from "./deployment.ts";
import { whole } from "./fields.ts";

const MAX_SITES = 1000;
const SITE_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const SITE_OR_OTHERS = /^(\*|[a-z0-9][a-z0-9._-]{0,62})$/;
const A_NAME = "lower-case letters, digits, dots, hyphens, at most 63";

const siteName = v.pipe(v.string("text"), v.regex(SITE_NAME, A_NAME));
const siteNames = v.pipe(
  v.array(siteName, "a list of sites"),
  v.maxLength(MAX_SITES, `at most ${MAX_SITES} sites`),
  v.check((names) => new Set(names).size === names.length, "it names a site twice"),
);

/** A map of names, each to a value of this schema. */
function mapOf<T>(
  name: RegExp,
  value: v.GenericSchema<unknown, T>,
  most: number,
): v.GenericSchema<unknown, Record<string, T>> {
  return v.pipe(
    v.record(v.pipe(v.string("text"), v.regex(name, A_NAME)), value),
    v.check((map) => Object.keys(map).length <= most, `at most ${most} entries`),
  );
}

/** What a job needs at a site, as it comes from outside. */
export const ResourceNeedSchema: v.GenericSchema<unknown, ResourceNeed> = v.strictObject({
  gpus: v.exactOptional(
    v.strictObject({
      count: whole(1, 64),
      memoryGiB: v.pipe(
        v.number("a number"),
        v.gtValue(0, "greater than 0"),
        v.maxValue(4096, "at most 4096"),
      ),
    }),
  ),
  units: v.exactOptional(mapOf(SITE_NAME, whole(1, 10_000), 64)),
});

/** Who takes part, as it comes from outside. */
export const DeploymentSchema: v.GenericSchema<unknown, DeploymentDefinition> = v.pipe(
  v.strictObject({
    sites: v.exactOptional(v.pipe(siteNames, v.minLength(1, "at least 1 site"))),
    mandatorySites: v.exactOptional(siteNames),
    resources: v.exactOptional(mapOf(SITE_OR_OTHERS, ResourceNeedSchema, MAX_SITES)),
  }),
  v.forward(
    v.check(
      ({ sites, mandatorySites = [] }) => sites === undefined || isSubset(mandatorySites, sites),
      "it names a site that does not take part",
    ),
    ["mandatorySites"],
  ),
  v.forward(
    v.check(
      ({ sites, resources = {} }) =>
        sites === undefined ||
        isSubset(
          Object.keys(resources).filter((name) => name !== "*"),
          sites,
        ),
      "it names a site that does not take part",
    ),
    ["resources"],
  ),
);

/** What is kept, as it comes from outside. */
export const RetentionSchema: v.GenericSchema<unknown, RetentionDefinition> = v.strictObject({
  days: v.exactOptional(whole(1, 3650)),
  models: v.exactOptional(v.picklist(["newest", "every-round"], 'one of "newest", "every-round"')),
});

const isSubset = (part: readonly string[], whole: readonly string[]): boolean => {
  const names = new Set(whole);
  return part.every((name) => names.has(name));
};
