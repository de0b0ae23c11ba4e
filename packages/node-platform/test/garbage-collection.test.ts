import { constants, PerformanceObserver } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { getHeapSpaceStatistics } from "node:v8";
import { expect, test } from "vitest";
import { bytesPassed, compactMemory, countPassed } from "../src/garbage-collection.ts";

test("what was read from sockets is collected each 16 MiB", async () => {
  countPassed(16_777_216); // whatever was counted before
  await turn();
  await turn(); // and told of, when something else in this process observes collections
  const young = observed(({ kind, flags }) => kind === MINOR && (flags & FORCED) !== 0);

  // By number, not by what is free afterwards: buffers are freed beside the program, when there is a core for it.
  for (let index = 0; index < 1_024; index++) {
    Buffer.allocUnsafe(65_536);
    countPassed(65_536);
  }

  expect(await young()).toBe(4);
});

const MINOR = constants.NODE_PERFORMANCE_GC_MINOR;
const FORCED = constants.NODE_PERFORMANCE_GC_FLAGS_FORCED;

interface Collection {
  readonly kind: number;
  readonly flags: number;
}

/** Counts collections of a kind from here on. @returns ends it and tells how many there were */
function observed(isOne: (collection: Collection) => boolean): () => Promise<number> {
  let count = 0;
  const observer = new PerformanceObserver((list) => {
    count += list.getEntries().filter((entry) => isOne(Reflect.get(entry, "detail"))).length;
  });
  observer.observe({ entryTypes: ["gc"] });
  return async () => {
    await turn();
    await turn(); // entries are told in a turn of their own
    observer.disconnect();
    return count;
  };
}

test("what a host counted as passed is what it may ask for", () => {
  const before = bytesPassed();

  countPassed(1_000);
  countPassed(20_000_000); // also past a collection

  expect(bytesPassed() - before).toBe(20_001_000);
});

test("memory between the objects that live goes back to the system", async () => {
  const oldSpaceBytes = (): number =>
    getHeapSpaceStatistics().find((space) => space.space_name === "old_space")?.space_size ?? 0;
  compactMemory();
  const before = oldSpaceBytes();
  const kept = await eachEighthOf16Megabytes();

  compactMemory();

  expect(oldSpaceBytes() - before).toBeLessThan(8_000_000);
  expect(kept).toHaveLength(12_500);
});

/** What lives on lies in every page of what does not. */
async function eachEighthOf16Megabytes(): Promise<readonly number[][]> {
  const all = Array.from({ length: 100_000 }, (_, index) => new Array<number>(16).fill(index));
  compactMemory(); // all of it is old from here on
  await turn();
  return all.filter((_, index) => index % 8 === 0);
}
