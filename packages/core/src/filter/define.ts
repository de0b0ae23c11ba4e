import * as v from "valibot";
import type { Mechanism } from "../accounting/index.ts";
import type { DataKind, FilterData, FilterKind, FilterModules, FilterOutcome } from "./filter.ts";

/** What a kind of filter with arguments `Arguments` is. */
export interface FilterSpecification<Arguments extends object> {
  /** Lower-case letters and hyphens. */
  readonly name: string;
  /** What it changes. */
  readonly understands: readonly DataKind[];
  /** What it lets by without a change. Default: nothing. */
  readonly passes?: readonly DataKind[];
  /** Its arguments: a strict object with bounds. */
  readonly schema: v.GenericSchema<unknown, Arguments>;
  /** What each release costs. Default: nothing that an accountant could tell. */
  readonly mechanisms?: (args: Arguments) => readonly Mechanism[];
  /** What changes the data of one job. */
  readonly create: (args: Arguments, modules: FilterModules) => (data: FilterData) => Promise<FilterOutcome>;
}

/** A kind of filter whose arguments are checked before they are used. */
export function defineFilter<Arguments extends object>(
  specification: FilterSpecification<Arguments>,
): FilterKind {
  const { name, understands, passes = [], schema, mechanisms, create } = specification;
  return {
    name,
    understands,
    passes,
    schema,
    create: (given, modules) => {
      const args = v.parse(schema, given);
      return { name, mechanisms: mechanisms?.(args) ?? [], apply: create(args, modules) };
    },
  };
}
