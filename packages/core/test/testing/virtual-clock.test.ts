import { sleep } from "@photinus/core/platform";
import { afterMicrotasks, virtualClock } from "@photinus/core/testing";
import { expect, test } from "vitest";

test("runs due timers in the order of their times, then of their setting", async () => {
  const clock = virtualClock({ startMs: 0 });
  const fired: string[] = [];
  clock.after(20, () => fired.push("second"));
  clock.after(10, () => fired.push("first"));
  clock.after(20, () => fired.push("third"));
  clock.after(21, () => fired.push("later"));

  await clock.advance(20);

  expect(fired).toEqual(["first", "second", "third"]);
  expect(clock.now()).toBe(20);
  expect(clock.nextTimerMs).toBe(21);
});

test("shows each timer its own time and lets what it sets off run before the next", async () => {
  const clock = virtualClock({ startMs: 0 });
  const seen: number[] = [];
  const loop = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) {
      await sleep(clock, 10);
      await clock.yield();
      seen.push(clock.now());
    }
  };
  const done = loop();
  clock.after(15, () => seen.push(clock.now()));

  await clock.advance(100);
  await done;

  expect(seen).toEqual([10, 15, 20, 30]);
});

test("never fires a cancelled timer and counts those that are left", async () => {
  const clock = virtualClock();
  const fired: number[] = [];
  const timers = Array.from({ length: 50 }, (_, index) =>
    clock.after((index * 7) % 50, () => fired.push(index)),
  );
  for (const [index, timer] of timers.entries()) if (index % 2 === 0) timer.cancel();

  expect(clock.pendingTimers).toBe(25);
  await clock.advance(50);

  expect(fired).toHaveLength(25);
  expect(fired.every((index) => index % 2 === 1)).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

test("runs until a promise settles and tells when nothing can settle it", async () => {
  const clock = virtualClock({ startMs: 0 });

  await expect(clock.runUntil(sleep(clock, 5000).then(() => clock.now()))).resolves.toBe(5000);
  await expect(clock.runUntil(new Promise(() => undefined))).rejects.toThrow("nothing is scheduled");
  await expect(clock.runUntil(sleep(clock, 5000), 100)).rejects.toThrow("still open after 100 ms");
});

test("waits for work under way that no timer is set for, however many turns it takes", async () => {
  let work: Promise<unknown> = Promise.resolve();
  const clock = virtualClock({ settle: async () => void (await Promise.all([afterMicrotasks(), work])) });
  const slow = afterMicrotasks().then(() => {
    work = turns(3000);
    return work;
  });

  await expect(clock.runUntil(slow)).resolves.toBe(3000);
});

async function turns(count: number): Promise<number> {
  for (let turn = 0; turn < count; turn++) await afterMicrotasks();
  return count;
}
