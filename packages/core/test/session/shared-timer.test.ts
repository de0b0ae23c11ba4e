import { expect, test } from "vitest";
import { type Due, SharedTimer } from "../../src/session/shared-timer.ts";
import { seededRandom, virtualClock } from "../../src/testing/index.ts";

const startMs = 1000;

/** Writes its time down each time that it is due. */
function waiting(clock: { now(): number }, rings: number[]): Due {
  return { dueMs: 0, place: -1, due: () => rings.push(clock.now()) };
}

test("each is due at its own time and once, with one timer of the clock", async () => {
  const clock = virtualClock({ startMs });
  const timer = new SharedTimer(clock);
  const rings: number[] = [];
  for (const delayMs of [30, 10, 20, 10]) timer.set(waiting(clock, rings), delayMs);
  expect(clock.pendingTimers).toBe(1);

  await clock.advance(100);

  expect(rings).toEqual([1010, 1010, 1020, 1030]);
  expect(clock.pendingTimers).toBe(0);
});

test("whoever is set anew is due at the new time only", async () => {
  const clock = virtualClock({ startMs });
  const timer = new SharedTimer(clock);
  const rings: number[] = [];
  const due = waiting(clock, rings);
  timer.set(due, 10);
  timer.set(due, 50);
  timer.set(due, 20);

  await clock.advance(100);

  expect(rings).toEqual([1020]);
});

test("whoever is due may set itself again and cancel others", async () => {
  const clock = virtualClock({ startMs });
  const timer = new SharedTimer(clock);
  const rings: number[] = [];
  const other = waiting(clock, rings);
  const due: Due = {
    dueMs: 0,
    place: -1,
    due: () => {
      rings.push(clock.now());
      timer.cancel(other);
      if (rings.length < 3) timer.set(due, 10);
    },
  };
  timer.set(due, 10);
  timer.set(other, 10);

  await clock.advance(100);

  expect(rings).toEqual([1010, 1020, 1030]);
});

test("thousands that are set and cancelled in any order are due in the order of their times", async () => {
  const clock = virtualClock({ startMs });
  const timer = new SharedTimer(clock);
  const random = seededRandom("shared timer");
  const rings: number[] = [];
  const all = Array.from({ length: 2000 }, () => waiting(clock, rings));
  for (const due of all) timer.set(due, random.integer(500));
  for (const due of all.filter(() => random.integer(3) === 0)) timer.set(due, random.integer(500));
  const cancelled = all.filter(() => random.integer(4) === 0);
  for (const due of cancelled) timer.cancel(due);
  const expected = all.filter((due) => !cancelled.includes(due)).map(({ dueMs }) => dueMs);

  await clock.advance(500);

  expect(rings).toEqual(expected.sort((a, b) => a - b));
});

test("a timer for which nobody waits leaves nothing with the clock", () => {
  const clock = virtualClock({ startMs });
  const timer = new SharedTimer(clock);
  const due = waiting(clock, []);
  timer.set(due, 10);

  timer.cancel(due);
  timer.cancel(due);

  expect(clock.pendingTimers).toBe(0);
});
