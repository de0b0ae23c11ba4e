import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./process.ts";
import { wireVectors } from "./wire-vectors/all.ts";

// Writes test/vectors/wire: the vectors of the protocol for other implementers. A test fails when what is committed is
// not what this writes. A difference is a change of the wire format: it needs a new version, or is a mistake.

const FOLDER = join(ROOT, "test/vectors/wire");

mkdirSync(FOLDER, { recursive: true });
for (const [file, text] of await wireVectors()) {
  writeFileSync(join(FOLDER, file), text);
  console.log(`wrote ${file}`);
}
