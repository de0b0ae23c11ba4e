import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { isProgram, ROOT, runProgram } from "./process.ts";

const WEB_CLIENT = join(ROOT, "packages/web-client");
/** Where node-server finds the built pages. */
export const PAGES: string = join(WEB_CLIENT, "dist/app");
/** The hash of the inputs that the pages on disk were built from. */
const STAMP = join(ROOT, ".vite/pages.sha256");
/** What the pages are made of; a change in any of it builds them again. */
const INPUTS = [
  ...["core", "training", "monitor", "web-client"].map((name) => `packages/${name}`),
  "package-lock.json",
  "tsconfig.base.json",
];
const LEFT_OUT = new Set(["node_modules", "dist", "test"]);

function* filesUnder(path: string): Generator<string> {
  if (!existsSync(path)) return;
  const entries = readdirSync(path, { withFileTypes: true });
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    if (LEFT_OUT.has(entry.name)) continue;
    const child = join(path, entry.name);
    if (entry.isDirectory()) yield* filesUnder(child);
    else yield child;
  }
}

/** SHA-256 over the names and contents of all inputs. */
function hashOfInputs(): string {
  const hash = createHash("sha256");
  for (const input of INPUTS.map((path) => join(ROOT, path))) {
    const files = input.endsWith(".json") ? [input] : filesUnder(input);
    for (const file of files) hash.update(relative(ROOT, file)).update("\0").update(readFileSync(file));
  }
  return hash.digest("hex");
}

/**
 * Builds the pages of web-client when their inputs changed since the last build.
 * @returns their folder and whether they were built
 */
export async function buildPages(): Promise<{ readonly folder: string; readonly built: boolean }> {
  const hash = hashOfInputs();
  const stamp = existsSync(STAMP) ? readFileSync(STAMP, "utf8") : "";
  if (stamp === hash && existsSync(join(PAGES, "index.html"))) return { folder: PAGES, built: false };
  const { build } = await import("vite");
  await build({ root: WEB_CLIENT, logLevel: "warn", build: { outDir: PAGES, emptyOutDir: true } });
  mkdirSync(join(STAMP, ".."), { recursive: true });
  writeFileSync(STAMP, hash);
  return { folder: PAGES, built: true };
}

if (isProgram(import.meta.url)) {
  runProgram(async () => {
    const { folder, built } = await buildPages();
    console.log(`${relative(ROOT, folder)}: ${built ? "built" : "up to date"}`);
  });
}
