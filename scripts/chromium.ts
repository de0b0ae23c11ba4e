import { chromium } from "@playwright/test";
import { findOrInstall, isExecutable, placesOnPath } from "./debian-packages.ts";

const NEED = {
  name: "Chromium",
  packages: ["chromium"],
  remedy: "No Chromium found: install it (apt-get install chromium) or set CHROMIUM_PATH to its program.",
};

/**
 * The Chromium that is installed: CHROMIUM_PATH, then PATH, then Playwright's cache.
 * @throws Error when CHROMIUM_PATH names no program: another browser than the one asked for would be a surprise
 */
export function installedChromium(
  environment: NodeJS.ProcessEnv = process.env,
  cached: string = chromium.executablePath(),
): string | undefined {
  const wanted = environment["CHROMIUM_PATH"];
  if (wanted !== undefined && wanted !== "") {
    if (isExecutable(wanted)) return wanted;
    throw new Error(`CHROMIUM_PATH is ${wanted}, which is no program: correct it or unset it.`);
  }
  const names = ["chromium", "chromium-browser", "google-chrome"];
  return [...placesOnPath(names, environment), cached].find(isExecutable);
}

/**
 * The Chromium for the tests, installed by apt when there is none and this process may do so.
 * @throws Error with the remedy: browser tests are never skipped
 */
export function findChromium(): Promise<string> {
  return findOrInstall(NEED, installedChromium);
}
