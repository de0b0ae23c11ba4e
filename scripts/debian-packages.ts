import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./process.ts";

/** What tests need of the system. */
export interface SystemNeed {
  /** What it is called, for people. */
  readonly name: string;
  /** Debian packages that bring it. */
  readonly packages: readonly string[];
  /** What a person does where this process may not install it. */
  readonly remedy: string;
}

/** True for a program that this process may run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not for us: the next place is tried
  }
}

/** Where programs of these names may lie, by the folders of PATH. */
export function placesOnPath(
  names: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): readonly string[] {
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}

/**
 * What is present, installed by apt when it is not and this process may do so.
 * @param find looks for it
 * @throws Error with the remedy: what needs it is never skipped
 */
export async function findOrInstall<Found>(need: SystemNeed, find: () => Found | undefined): Promise<Found> {
  const present = find();
  if (present !== undefined) return present;
  if (process.getuid?.() !== 0) throw new Error(need.remedy);
  console.log(`No ${need.name} found; installing it with apt-get (as root).`);
  // RUNLEVEL 1: a package that brings a service does not start it.
  const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const steps = [["update"], ["install", "-y", "--no-install-recommends", ...need.packages]];
  for (const args of steps) {
    const { status, output } = await run("apt-get", args, { env, output: "keep" });
    if (status !== 0) throw new Error(`${need.remedy}\n${output.slice(-2000)}`);
  }
  const installed = find();
  if (installed === undefined) throw new Error(need.remedy);
  return installed;
}
