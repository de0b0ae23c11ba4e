import type { Decomposer } from "../decomposer.ts";

/** Date, as milliseconds since 1970 UTC. */
export const dateDecomposer: Decomposer<Date> = {
  id: 2,
  name: "Date",
  type: Date,
  decompose(value) {
    const atMs = value.getTime();
    if (Number.isNaN(atMs)) throw new RangeError("an invalid Date");
    return atMs;
  },
  compose(fields) {
    // -0 would be a second encoding of 0.
    if (!Number.isSafeInteger(fields) || Object.is(fields, -0)) throw new RangeError("expected milliseconds");
    const date = new Date(Number(fields));
    if (Number.isNaN(date.getTime())) throw new RangeError("outside the range of dates");
    return date;
  },
};
