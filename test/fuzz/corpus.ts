import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bytes, toBytes, toHex } from "@photinus/core/bytes";
import { nodeCrypto } from "@photinus/node-platform";

/** Inputs that were interesting once, one file each, in a folder for each target. */
const CORPUS = fileURLToPath(new URL("corpus/", import.meta.url));
/** Inputs that broke a target once: they are read by every test. */
const CRASHES = fileURLToPath(new URL("crashes/", import.meta.url));

function inputsIn(folder: string): readonly Bytes[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => toBytes(readFileSync(join(folder, name))));
}

/** The corpus of a target. */
export function corpusOf(target: string): readonly Bytes[] {
  return [...inputsIn(join(CORPUS, target)), ...inputsIn(join(CRASHES, target))];
}

/** Keeps an input under its digest. @returns its path */
export async function keep(kind: "corpus" | "crashes", target: string, input: Bytes): Promise<string> {
  const folder = join(kind === "corpus" ? CORPUS : CRASHES, target);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${toHex(await nodeCrypto().sha256(input)).slice(0, 16)}.bin`);
  writeFileSync(path, input);
  return path;
}
