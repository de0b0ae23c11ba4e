import { readFileSync } from "node:fs";

/** The version of this package, from its package.json, which lies above the sources and above dist alike. */
export function installedVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version; // our own file, which npm requires to have one
}
