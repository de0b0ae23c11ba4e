import * as v from "valibot";

/** A whole number in a range. */
export const whole = (least: number, most: number): v.GenericSchema<unknown, number> =>
  v.pipe(
    v.number("a whole number"),
    v.safeInteger("a whole number"),
    v.minValue(least, `at least ${least}`),
    v.maxValue(most, `at most ${most}`),
  );

/** The name of a study. */
export const studyName: v.GenericSchema<unknown, string> = v.pipe(
  v.string("text"),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "lower-case letters, digits, dots, hyphens, at most 63"),
);

/** Text whose length is in a range. */
export const text = (least: number, most: number): v.GenericSchema<unknown, string> =>
  v.pipe(
    v.string("text"),
    v.minLength(least, `at least ${least} characters`),
    v.maxLength(most, `at most ${most} characters`),
  );
