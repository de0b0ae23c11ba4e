import * as v from "valibot";
import { type FilterDefinition, filterListSchema } from "./definition.ts";
import type { FilterRegistry } from "./filter.ts";

/** The filters of a job, which run behind those of the site. */
export interface JobFilters {
  /** What a model goes through at each site before it is trained. Default: none. */
  readonly siteData?: readonly FilterDefinition[];
  /** What a result goes through at each site before it leaves. Default: none. */
  readonly siteResult?: readonly FilterDefinition[];
}

/** Filters as a job names them. */
export function jobFiltersSchema(registry: FilterRegistry): v.GenericSchema<unknown, JobFilters> {
  return v.strictObject({
    siteData: v.exactOptional(filterListSchema("site-data", registry)),
    siteResult: v.exactOptional(filterListSchema("site-result", registry)),
  });
}
