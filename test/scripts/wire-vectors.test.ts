import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../scripts/process.ts";
import { wireVectors } from "../../scripts/wire-vectors/all.ts";

const FOLDER = join(ROOT, "test/vectors/wire");
type Files = ReadonlyMap<string, string>;

const generated = await wireVectors();
const committed: Files = new Map(
  readdirSync(FOLDER).map((file) => [file, readFileSync(join(FOLDER, file), "utf8")]),
);

/** Files that differ, are missing or are too many. */
function differing(ours: Files, theirs: Files): readonly string[] {
  return [...new Set([...ours.keys(), ...theirs.keys()])].filter(
    (file) => ours.get(file) !== theirs.get(file),
  );
}

test("the committed vectors are those that the code writes", () => {
  expect(generated.size).toBeGreaterThan(10);
  expect(differing(committed, generated), "run `npm run vectors`, and look at what changed").toEqual([]);
});

test("a second run writes the same bytes", async () => {
  expect(differing(await wireVectors(), generated)).toEqual([]);
});

test("finds a planted change, a missing file and one that nothing writes", () => {
  const planted = new Map(generated);
  planted.set("frames.json", (planted.get("frames.json") ?? "").replace("5048", "5049"));
  planted.delete("blobs.json");
  planted.set("old.json", "{}");

  expect([...differing(planted, generated)].sort()).toEqual(["blobs.json", "frames.json", "old.json"]);
});
