import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../scripts/process.ts";
import { publishedPackages } from "../scripts/workspaces.ts";

/** Written in halves, so that this file does not hold what it looks for. */
const FORBIDDEN = [["../", "shared"].join(""), ["/wo", "rk/"].join(""), [".libr", "ary"].join("")];

const git = (...args: readonly string[]): string =>
  execFileSync("git", args, { cwd: ROOT, encoding: "utf8" });

/** Files that git knows or would take, as they lie on disk. */
const files = git("ls-files", "--cached", "--others", "--exclude-standard", "-z")
  .split("\0")
  .filter((path) => path !== "" && statSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile());

const mentions = (text: string): readonly string[] => FORBIDDEN.filter((words) => text.includes(words));

test("no file speaks of a place outside of the repository", () => {
  const found = files.filter((path) => mentions(readFileSync(join(ROOT, path), "latin1")).length > 0);

  expect(files.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});

test("finds a planted mention of a place outside of the repository", () => {
  for (const words of FORBIDDEN) expect(mentions(`see ${words}data`)).toEqual([words]);
});

const leavesOut = (text: string): boolean => /\b(?:it|test|describe)\.(?:skip|only|todo|fails)\(/.test(text);

test("no test is skipped for good or run alone", () => {
  const tests = files.filter((path) => path.endsWith(".test.ts"));

  expect(tests.filter((path) => leavesOut(readFileSync(join(ROOT, path), "utf8")))).toEqual([]);
});

test("finds a planted test that is skipped or runs alone", () => {
  const marks = ["skip", "only", "todo", "fails"];

  expect(marks.filter((mark) => leavesOut(`  test.${mark}("later", () => {});`))).toEqual(marks);
  expect(leavesOut('test("plain", () => {});')).toBe(false);
});

test("every published package carries the licence", () => {
  const licence = readFileSync(join(ROOT, "LICENSE"), "utf8");

  for (const { folder, manifest } of publishedPackages()) {
    expect(readFileSync(join(folder, "LICENSE"), "utf8"), manifest.name).toBe(licence);
    expect(manifest).toMatchObject({ license: "Apache-2.0" });
  }
});

test("every tracked file is below 8 MiB", () => {
  expect(files.filter((path) => statSync(join(ROOT, path)).size > 8 * 2 ** 20)).toEqual([]);
});
