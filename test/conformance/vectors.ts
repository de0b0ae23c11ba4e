import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A file of test/vectors/wire. */
export function vectors<T>(file: string): T {
  const path = fileURLToPath(new URL(`../vectors/wire/${file}.json`, import.meta.url));
  return JSON.parse(readFileSync(path, "utf8")) as T; // the interfaces of the tests say what they hold
}

export const hex = (text: string): Buffer => Buffer.from(text, "hex");

/** A value that is there. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError("the vectors lack it");
  return value;
}
