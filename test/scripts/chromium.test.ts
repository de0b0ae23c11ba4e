import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { installedChromium } from "../../scripts/chromium.ts";

const root = mkdtempSync(join(tmpdir(), "photinus-chromium-"));
afterAll(() => rmSync(root, { recursive: true }));

function aProgram(name: string): string {
  const path = join(mkdtempSync(join(root, "bin-")), name);
  writeFileSync(path, "");
  chmodSync(path, 0o755);
  return path;
}

test("CHROMIUM_PATH wins over PATH, PATH over Playwright's cache", () => {
  const own = aProgram("own");
  const found = aProgram("google-chrome");
  const cached = aProgram("cached");

  expect(installedChromium({ CHROMIUM_PATH: own, PATH: dirname(found) }, cached)).toBe(own);
  expect(installedChromium({ PATH: dirname(found) }, cached)).toBe(found);
  expect(installedChromium({ PATH: "/nowhere" }, cached)).toBe(cached);
  expect(installedChromium({ PATH: "/nowhere" }, "/nowhere/chrome")).toBeUndefined();
});

test("refuses a CHROMIUM_PATH that names no program instead of taking another browser", () => {
  const other = aProgram("chromium");

  expect(() => installedChromium({ CHROMIUM_PATH: "/nowhere/chrome", PATH: dirname(other) })).toThrow(
    "/nowhere/chrome",
  );
});
