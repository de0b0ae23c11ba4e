import { expect, test } from "vitest";
import { pauseReason } from "../../src/join/power.ts";

const full = { charging: false, level: 0.9 };

test("goes on when nothing is known about the device", () => {
  expect(pauseReason(true, undefined, false)).toBeUndefined();
});

test("goes on in a hidden tab while the device charges", () => {
  expect(pauseReason(true, { charging: true, level: 0.05 }, false)).toBeUndefined();
});

test("pauses in a hidden tab on battery and goes on when the tab is shown", () => {
  expect(pauseReason(true, full, false)).toBe("hidden-on-battery");
  expect(pauseReason(false, full, false)).toBeUndefined();
});

test("pauses on a low battery and where the browser saves data", () => {
  expect(pauseReason(false, { charging: false, level: 0.19 }, false)).toBe("low-battery");
  expect(pauseReason(false, undefined, true)).toBe("data-saver");
});
