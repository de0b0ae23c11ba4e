import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "@playwright/test";
import { run } from "./process.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const REMEDY =
  "No Chromium found: install it (apt-get install chromium) or set CHROMIUM_PATH to its program.";

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not for us: the next place is tried
  }
}

function onPath(environment: NodeJS.ProcessEnv): readonly string[] {
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
}

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
  return [...onPath(environment), cached].find(isExecutable);
}

/**
 * The Chromium for the tests, installed by apt when there is none and this process may do so.
 * @throws Error with the remedy: browser tests are never skipped
 */
export async function findChromium(): Promise<string> {
  const present = installedChromium();
  if (present !== undefined) return present;
  if (process.getuid?.() !== 0) throw new Error(REMEDY);
  console.log("No Chromium found; installing it with apt-get (as root).");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const steps = [["update"], ["install", "-y", "--no-install-recommends", "chromium"]];
  for (const args of steps) {
    const { status, output } = await run("apt-get", args, { env, output: "keep" });
    if (status !== 0) throw new Error(`${REMEDY}\n${output.slice(-2000)}`);
  }
  const installed = installedChromium();
  if (installed === undefined) throw new Error(REMEDY);
  return installed;
}
