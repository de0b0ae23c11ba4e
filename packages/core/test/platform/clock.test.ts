import { type Clock, sleep, type Timer } from "@photinus/core/platform";
import { expect, test } from "vitest";

/** A clock with one timer at most, which the test fires itself. */
function aClock(): Clock & { readonly fire: () => void; readonly pending: () => number | undefined } {
  let waiting: { readonly delayMs: number; readonly callback: () => void } | undefined;
  return {
    now: () => 0,
    after(delayMs, callback): Timer {
      waiting = { delayMs, callback };
      return {
        cancel: () => {
          waiting = undefined;
        },
      };
    },
    yield: () => Promise.resolve(),
    fire: () => waiting?.callback(),
    pending: () => waiting?.delayMs,
  };
}

test("sleep resolves when the clock says that the time is up", async () => {
  const clock = aClock();
  const slept = sleep(clock, 250);
  expect(clock.pending()).toBe(250);

  clock.fire();

  await expect(slept).resolves.toBeUndefined();
});

test("sleep rejects with the signal's reason and cancels its timer", async () => {
  const clock = aClock();
  const abort = new AbortController();
  const slept = sleep(clock, 250, abort.signal);

  abort.abort(new Error("stopped"));

  await expect(slept).rejects.toThrow("stopped");
  expect(clock.pending()).toBeUndefined();
});

test("sleep under an aborted signal starts no timer", async () => {
  const clock = aClock();

  await expect(sleep(clock, 250, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");

  expect(clock.pending()).toBeUndefined();
});

test("a signal that is aborted after the sleep changes nothing", async () => {
  const clock = aClock();
  const abort = new AbortController();
  const slept = sleep(clock, 1, abort.signal);
  clock.fire();
  await slept;

  abort.abort();

  await expect(slept).resolves.toBeUndefined();
});
