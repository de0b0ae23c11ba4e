import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Bytes, fromHex, toHex } from "@photinus/core/bytes";

/** Inputs that were interesting once: a file for each target, an input in hexadecimal on each line. */
const CORPUS = new URL("corpus/", import.meta.url);
/** Inputs that broke a target once, with what they did in a line that begins with `#`: every test reads them. */
const CRASHES = new URL("crashes/", import.meta.url);

function inputsIn(file: URL): readonly Bytes[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#")).map(fromHex);
}

const fileOf = (folder: URL, target: string): URL => new URL(`${target}.hex`, folder);

/** The corpus of a target, and what broke it. */
export function corpusOf(target: string): readonly Bytes[] {
  return [...inputsIn(fileOf(CORPUS, target)), ...inputsIn(fileOf(CRASHES, target))];
}

/** Adds inputs to the corpus of a target. */
export function keep(target: string, inputs: readonly Bytes[]): void {
  const lines = inputs.map((input) => `${toHex(input)}\n`);
  appendFileSync(fileOf(CORPUS, target), lines.join(""));
}

/** Adds an input that breaks a target, with what it does. @returns the path of the file */
export function keepCrash(target: string, input: Bytes, defect: string): string {
  mkdirSync(CRASHES, { recursive: true });
  const file = fileOf(CRASHES, target);
  appendFileSync(file, `# ${defect.replaceAll("\n", " ")}\n${toHex(input)}\n`);
  return fileURLToPath(file);
}
