import type { Decomposer } from "../decomposer.ts";

/** Set, as an array of its members in their order. */
export const setDecomposer: Decomposer<Set<unknown>> = {
  id: 3,
  name: "Set",
  type: Set,
  decompose: (value) => [...value],
  compose(fields) {
    if (!Array.isArray(fields)) throw new RangeError("expected members");
    requireKeys(fields);
    const set = new Set<unknown>(fields);
    if (set.size !== fields.length) throw new RangeError("a member occurs twice");
    return set;
  },
};

/** Map, as an array of keys and values in turns, in their order. */
export const mapDecomposer: Decomposer<Map<unknown, unknown>> = {
  id: 4,
  name: "Map",
  type: Map,
  decompose: (value) => [...value].flat(1),
  compose(fields) {
    if (!Array.isArray(fields) || fields.length % 2 !== 0) throw new RangeError("expected keys and values");
    const map = new Map<unknown, unknown>();
    requireKeys(fields.filter((_, index) => index % 2 === 0));
    for (let index = 0; index < fields.length; index += 2) map.set(fields[index], fields[index + 1]);
    if (2 * map.size !== fields.length) throw new RangeError("a key occurs twice");
    return map;
  },
};

/** Set and Map keep -0 as 0, so it would be a second encoding of 0. */
function requireKeys(keys: readonly unknown[]): void {
  if (keys.some((key) => Object.is(key, -0))) throw new RangeError("-0 is neither member nor key");
}
