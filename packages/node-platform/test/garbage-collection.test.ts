import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { spareFullCollections } from "../src/index.ts";

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
