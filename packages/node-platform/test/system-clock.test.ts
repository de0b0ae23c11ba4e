import { sleep } from "@photinus/core/platform";
import { systemClock } from "@photinus/node-platform";
import { expect, test, vi } from "vitest";

test("calls back once after the delay and never when cancelled", () => {
  vi.useFakeTimers();
  try {
    const clock = systemClock();
    const called = vi.fn();
    const cancelled = vi.fn();
    clock.after(100, called);
    clock.after(100, cancelled).cancel();

    vi.advanceTimersByTime(99);
    expect(called).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);

    expect(called).toHaveBeenCalledTimes(1);
    expect(cancelled).not.toHaveBeenCalled();
  } finally {
    vi.useRealTimers();
  }
});

test("keeps a delay beyond the longest timer of Node", () => {
  vi.useFakeTimers();
  try {
    const called = vi.fn();
    const days30 = 30 * 24 * 3_600_000;
    systemClock().after(days30, called);

    vi.advanceTimersByTime(days30 - 1);
    expect(called).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);

    expect(called).toHaveBeenCalledTimes(1);
  } finally {
    vi.useRealTimers();
  }
});

test("refuses a negative delay and one that is no number", () => {
  expect(() => systemClock().after(-1, () => undefined)).toThrow(RangeError);
  expect(() => systemClock().after(Number.NaN, () => undefined)).toThrow(RangeError);
});

test("lets other work run at a yield", async () => {
  let ran = false;
  setImmediate(() => {
    ran = true;
  });

  await systemClock().yield();

  expect(ran).toBe(true);
});

test("sleeps until its signal is aborted", async () => {
  const stop = new AbortController();
  const asleep = sleep(systemClock(), 3_600_000, stop.signal);

  stop.abort(new Error("woken"));

  await expect(asleep).rejects.toThrow("woken");
});
