import * as v from "valibot";

const finite = v.pipe(v.number("a number"), v.finite("a finite number"));

/** A number in (0, `most`]. */
export const positive = (most: number): v.GenericSchema<unknown, number> =>
  v.pipe(finite, v.gtValue(0, "greater than 0"), v.maxValue(most, `at most ${most}`));

/** A number in [`least`, `most`]. */
export const between = (least: number, most: number): v.GenericSchema<unknown, number> =>
  v.pipe(finite, v.minValue(least, `at least ${least}`), v.maxValue(most, `at most ${most}`));

/** A bound of an L2 norm or of a value. */
export const bound: v.GenericSchema<unknown, number> = positive(1e30);

/** Most patterns of a filter. */
export const MAX_PATTERNS = 256;

/** Names of parameters, or parts of them with `*` for the rest. */
export const patterns: v.GenericSchema<unknown, readonly string[]> = v.pipe(
  v.array(v.pipe(v.string("text"), v.minLength(1, "text"), v.maxLength(256, "at most 256 characters"))),
  v.minLength(1, "at least one"),
  v.maxLength(MAX_PATTERNS, `at most ${MAX_PATTERNS}`),
);
