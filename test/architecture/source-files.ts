import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../scripts/process.ts";

/** A file of ours: its path from the root, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Every `.ts` file under `packages/<name>/src`. */
export function sourcesOf(packageName: string): readonly SourceFile[] {
  const folder = `packages/${packageName}/src`;
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .map((file) => ({ path: `${folder}/${file}`, text: readFileSync(join(ROOT, folder, file), "utf8") }));
}

/** One import of a file. */
export interface Import {
  readonly specifier: string;
  /** True for `import("...")`, which loads when it is reached. */
  readonly dynamic: boolean;
  /** True for `import type` and `export type`, which leave no trace in JavaScript. */
  readonly typeOnly: boolean;
}

const STATIC = /^[ \t]*(?:import|export)\b([^;"'`]*?\bfrom)?[ \t\n]*["']([^"']+)["']/gm;
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']/g;

/** The imports of a source text, in order: first the static ones, then the dynamic ones. */
export function importsOf(text: string): readonly Import[] {
  const fixed = Array.from(text.matchAll(STATIC), ([, clause = "", specifier = ""]) => ({
    specifier,
    dynamic: false,
    typeOnly: /^\s*type\b/.test(clause),
  }));
  const late = Array.from(text.matchAll(DYNAMIC), ([, specifier = ""]) => ({
    specifier,
    dynamic: true,
    typeOnly: false,
  }));
  return [...fixed, ...late];
}
