import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { countPassed, spareFullCollections } from "../src/garbage-collection.ts";

test("a host that moves many buffers is not collected as a whole again and again", async () => {
  spareFullCollections();
  let full = 0;
  const observer = new PerformanceObserver((list) => {
    const kinds = list.getEntries().map((entry) => (Reflect.get(entry, "detail") as { kind: number }).kind);
    full += kinds.filter((kind) => kind === 4).length; // NODE_PERFORMANCE_GC_MAJOR
  });
  observer.observe({ entryTypes: ["gc"] });

  // 200 MB in buffers that die at once; they alone would be ten times the heap.
  for (let index = 0; index < 800; index++) {
    Buffer.allocUnsafe(262_144);
    if (index % 8 === 0) await turn();
  }
  await turn();
  observer.disconnect();

  expect(full).toBeLessThanOrEqual(8);
});

test("what was read from sockets is collected each 16 MiB", () => {
  countPassed(16_777_216); // whatever lay about before
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let index = 0; index < 2_000; index++) {
    Buffer.allocUnsafe(65_536);
    countPassed(65_536);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }

  expect(most).toBeLessThan(26_000_000);
});
