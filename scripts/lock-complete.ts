import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isProgram, ROOT, runProgram } from "./process.ts";

/**
 * `npm install` leaves optional binaries that the registry does not serve out of package-lock.json without a
 * word, and `npm ci` then refuses the lock. This adds a stub for each: version and platform, no integrity, so
 * that npm knows that the package is for another machine and skips it.
 */

/** A record of package-lock.json, as far as it is read here. */
export interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** package-lock.json, version 3. */
export interface Lock {
  readonly packages: Record<string, LockedPackage>;
}

const SYSTEMS = [
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const PROCESSORS = [
  "arm64",
  "arm",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "x64",
  "wasm32",
];

/**
 * The stub of a platform package: os, cpu and libc from its name.
 * @throws RangeError when the name does not say a platform, or says this one: then it is really missing
 */
export function stubFor(name: string, version: string, dev: boolean): LockedPackage {
  const words = name.replace(/^@[^/]*\//, "").split("-");
  const os = SYSTEMS.filter((system) => words.includes(system));
  const cpu = PROCESSORS.filter((processor) => words.includes(processor));
  const musl = words.some((word) => word.startsWith("musl"));
  const libc = os[0] === "linux" ? [musl ? "musl" : "glibc"] : [];
  if (os.length !== 1 || cpu.length !== 1) throw new RangeError(`${name} names no platform; add it by hand`);
  if (os[0] === process.platform && cpu[0] === process.arch && !musl) {
    throw new RangeError(`${name} is for this machine and missing from the lock; run npm install again`);
  }
  return { version, cpu, ...(dev ? { dev } : {}), ...(libc.length > 0 ? { libc } : {}), optional: true, os };
}

/** Where npm would look for `dependency` of the package at `path`: nested first, then the folders above. */
function isLocked(packages: Lock["packages"], path: string, dependency: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf("/node_modules/"), 0))) {
    if (`${folder}${folder === "" ? "" : "/"}node_modules/${dependency}` in packages) return true;
    if (folder === "") return false;
  }
}

/** The stubs that `lock` lacks, by their path in it. */
export function missingStubs(lock: Lock): Readonly<Record<string, LockedPackage>> {
  const stubs: Record<string, LockedPackage> = {};
  for (const [path, { optionalDependencies = {}, dev = false }] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (!isLocked(lock.packages, path, name)) stubs[`node_modules/${name}`] = stubFor(name, version, dev);
    }
  }
  return stubs;
}

async function main(): Promise<void> {
  const path = join(ROOT, "package-lock.json");
  const lock = JSON.parse(readFileSync(path, "utf8")) as Lock; // our own file
  const stubs = missingStubs(lock);
  const entries = Object.entries({ ...lock.packages, ...stubs });
  const packages = Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
  writeFileSync(path, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  console.log(`package-lock.json: ${Object.keys(stubs).length} stubs of other platforms added`);
}

if (isProgram(import.meta.url)) runProgram(main);
