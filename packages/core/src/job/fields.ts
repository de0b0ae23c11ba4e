import * as v from "valibot";

/** A whole number in a range. */
export const whole = (least: number, most: number): v.GenericSchema<unknown, number> =>
  v.pipe(
    v.number("a whole number"),
    v.safeInteger("a whole number"),
    v.minValue(least, `at least ${least}`),
    v.maxValue(most, `at most ${most}`),
  );

/** Text whose length is in a range. */
export const text = (least: number, most: number): v.GenericSchema<unknown, string> =>
  v.pipe(
    v.string("text"),
    v.minLength(least, `at least ${least} characters`),
    v.maxLength(most, `at most ${most} characters`),
  );
