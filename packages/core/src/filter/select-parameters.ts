import * as v from "valibot";
import { matchesPattern, type ParameterSet } from "../tensor/index.ts";
import { defineFilter } from "./define.ts";
import { patterns } from "./fields.ts";
import type { FilterKind, FilterModules, FilterOutcome } from "./filter.ts";
import { mapValues, tensorsOf } from "./values.ts";

const schema = v.strictObject({ parameters: patterns });

/** The change of these parameters stays here: zeros go in its place, for an update keeps its shape. */
export const excludeParameters: FilterKind = defineFilter({
  name: "exclude-parameters",
  understands: ["update"],
  passes: ["metrics"],
  schema,
  create:
    ({ parameters }, modules) =>
    (data) =>
      keep(tensorsOf(data, "exclude-parameters"), (name) => !isAmong(parameters, name), modules),
});

/** The change of these parameters may leave, and of no others. */
export const allowParameters: FilterKind = defineFilter({
  name: "allow-parameters",
  understands: ["update"],
  passes: ["metrics"],
  schema,
  create:
    ({ parameters }, modules) =>
    (data) =>
      keep(tensorsOf(data, "allow-parameters"), (name) => isAmong(parameters, name), modules),
});

const isAmong = (list: readonly string[], name: string): boolean =>
  list.some((pattern) => matchesPattern(pattern, name));

async function keep(
  parameters: ParameterSet,
  isKept: (name: string) => boolean,
  { clock }: FilterModules,
): Promise<FilterOutcome> {
  const kept = new Set(parameters.names().filter(isKept));
  const filtered = await mapValues(parameters, clock, (value, _index, name) => (kept.has(name) ? value : 0));
  const numbers = { kept: kept.size, excluded: parameters.size - kept.size };
  return { data: { kind: "update", parameters: filtered }, numbers };
}
