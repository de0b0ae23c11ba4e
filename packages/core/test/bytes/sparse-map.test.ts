import { expect, test } from "vitest";
import { SparseMap, SparseSet } from "../../src/bytes/index.ts";

test("holds what it was given, in order, and says when a key is not there", () => {
  const map = new SparseMap<string, number>();
  expect([map.size, map.get("a"), map.has("a"), map.oldest, [...map]]).toEqual([
    0,
    undefined,
    false,
    undefined,
    [],
  ]);

  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);

  expect([map.size, map.get("a"), map.has("b"), map.oldest]).toEqual([2, 3, true, "a"]);
  expect([...map]).toEqual([
    ["a", 3],
    ["b", 2],
  ]);
  expect([...map.values()]).toEqual([3, 2]);
});

test("is as before its first entry when the last is gone, and takes entries again", () => {
  const map = new SparseMap<string, number>();
  map.set("a", 1);

  expect(map.delete("a")).toBe(true);
  expect(map.delete("a")).toBe(false);
  expect([map.size, map.oldest, [...map.values()]]).toEqual([0, undefined, []]);
  map.set("b", 2);

  expect([map.size, map.oldest]).toEqual([1, "b"]);
});

test("lets entries be removed while they are looked at", () => {
  const map = new SparseMap<string, number>();
  for (const [index, key] of ["a", "b", "c"].entries()) map.set(key, index);

  for (const [key] of map) map.delete(key);

  expect(map.size).toBe(0);
});

test("a set holds each value once, and takes values again when it was emptied", () => {
  const set = new SparseSet<string>();
  expect([set.has("a"), set.delete("a")]).toEqual([false, false]);

  set.add("a");
  set.add("a");

  expect([set.has("a"), set.delete("a"), set.has("a"), set.delete("a")]).toEqual([true, true, false, false]);
  set.add("b");
  expect([set.has("a"), set.has("b")]).toEqual([false, true]);
});
