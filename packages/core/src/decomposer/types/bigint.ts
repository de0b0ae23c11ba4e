import type { Decomposer } from "../decomposer.ts";

/** Id of {@link bigintDecomposer}: where the scan allows integers of 64 bits. */
export const BIGINT_ID = 1;

/** bigint from -2^63 to 2^64 - 1, as an integer; larger ones are refused. */
export const bigintDecomposer: Decomposer<bigint> = {
  id: BIGINT_ID,
  name: "bigint",
  type: "bigint",
  decompose(value) {
    if (BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value) {
      throw new RangeError("a bigint of more than 64 bits");
    }
    return value;
  },
  compose(fields) {
    if (typeof fields === "bigint") return fields;
    // -0 would be a second encoding of 0.
    if (!Number.isSafeInteger(fields) || Object.is(fields, -0)) throw new RangeError("expected an integer");
    return BigInt(Number(fields));
  },
};
