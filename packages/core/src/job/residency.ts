import * as v from "valibot";

/** Codes of places: a country of ISO 3166, one of its parts, or the European Union. */
export const JURISDICTION_PATTERN: RegExp = /^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$/;

/** A place, such as `DE`, `EU` or `US-CA`. */
export const jurisdictionCode: v.GenericSchema<unknown, string> = v.pipe(
  v.string("a code such as DE, EU or US-CA"),
  v.regex(JURISDICTION_PATTERN, "a code such as DE, EU or US-CA"),
);

/** Places outside of which nothing of the job may lie, as they come from outside. */
export const ResidencySchema: v.GenericSchema<unknown, readonly string[]> = v.pipe(
  v.array(jurisdictionCode, "a list of codes such as DE, EU or US-CA"),
  v.minLength(1, "at least 1 code"),
  v.maxLength(64, "at most 64 codes"),
);

/** Members of the European Union (Regulation (EU) 2016/679 holds in all of them), as of 2026. */
const EU_MEMBERS: ReadonlySet<string> = new Set(
  "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split(" "),
);

/**
 * True when a place lies within one of those that a job names: it is the same, a part of it, or a member of the Union. Who has no
 * place lies in none.
 * @param residency absent: anywhere
 */
export function isWithin(place: string | undefined, residency: readonly string[] | undefined): boolean {
  if (residency === undefined) return true;
  if (place === undefined) return false;
  const [country = ""] = place.split("-");
  return residency.some(
    (named) => named === place || named === country || (named === "EU" && EU_MEMBERS.has(country)),
  );
}
