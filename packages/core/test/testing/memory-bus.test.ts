import { localBus } from "@photinus/core/platform";
import { afterMicrotasks, memoryBus, virtualClock } from "@photinus/core/testing";
import { busContract } from "@photinus/core/testing/contracts";
import { expect, test } from "vitest";

busContract(
  "one process",
  () => {
    const bus = localBus();
    return [bus, bus];
  },
  afterMicrotasks,
);
busContract(
  "memory",
  () => {
    const end = memoryBus({ clock: virtualClock() });
    return [end(), end()];
  },
  afterMicrotasks,
);

test("an end that is cut neither tells nor hears, and says since when", async () => {
  const clock = virtualClock({ startMs: 1000 });
  const end = memoryBus({ clock });
  const [near, far] = [end(), end()];
  const heard: string[] = [];
  near.subscribe("a", { take: () => void heard.push("near"), restored: () => void heard.push("restored") });
  far.subscribe("a", { take: () => void heard.push("far") });

  near.cut();
  near.publish("a", new Uint8Array(1));
  far.publish("a", new Uint8Array(1));
  await afterMicrotasks();
  expect(heard).toEqual(["far"]);
  expect(near.cutSinceMs).toBe(1000);

  near.restore();
  far.publish("a", new Uint8Array(1));
  await afterMicrotasks();
  expect(heard).toEqual(["far", "restored", "near", "far"]);
});
