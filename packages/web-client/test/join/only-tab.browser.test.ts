// In the browser only: locks of an origin.
import { expect, onTestFinished, test } from "vitest";
import { holdTheOnlyTab } from "../../src/join/requirements.ts";

/** Another page of this origin, as a second tab is one. */
async function anotherPage(): Promise<{ readonly locks: LockManager; readonly close: () => void }> {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  onTestFinished(() => frame.remove());
  if (frame.contentWindow === null) throw new Error("the frame has a page");
  return { locks: frame.contentWindow.navigator.locks, close: () => frame.remove() };
}

test("one tab at a time holds the lock of the origin", async () => {
  const first = await anotherPage();
  expect(await holdTheOnlyTab(first.locks)).toBe(true);

  expect(await holdTheOnlyTab((await anotherPage()).locks)).toBe(false);

  first.close();
  // The browser frees what a closed page held in its own time: whoever waits for it is told.
  await navigator.locks.request("photinus.site", () => undefined);
  expect(await holdTheOnlyTab((await anotherPage()).locks)).toBe(true);
});
