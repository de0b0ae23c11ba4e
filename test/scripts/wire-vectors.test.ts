import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../scripts/process.ts";
import { wireVectors } from "../../scripts/wire-vectors/all.ts";

const FOLDER = join(ROOT, "test/vectors/wire");
const generated = await wireVectors();

test("the committed vectors are those that the code writes", () => {
  expect(readdirSync(FOLDER).sort()).toEqual([...generated.keys()].sort());
  for (const [file, text] of generated) {
    expect(
      readFileSync(join(FOLDER, file), "utf8"),
      `${file}: npm run vectors, and look at what changed`,
    ).toBe(text);
  }
});

test("a second run writes the same bytes", async () => {
  expect(await wireVectors()).toEqual(generated);
});
