import type { ParameterSet } from "../tensor/index.ts";

/** What an update goes through before it leaves the site. */
export type UpdateFilter = (update: ParameterSet) => Promise<ParameterSet>;

/**
 * The one place where site filters, then job filters, change an update before anything of it leaves. No filter is
 * configured in this version: the update leaves as it was trained, and nothing here claims to protect it.
 */
export const withoutFilters: UpdateFilter = (update) => Promise.resolve(update);
