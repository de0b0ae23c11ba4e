import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { ERRORS_PAGE, errorsPage } from "../scripts/docs-errors.ts";
import { ROOT } from "../scripts/process.ts";
import { testCommandOf } from "../scripts/readme.ts";
import { publishedPackages } from "../scripts/workspaces.ts";
import { sourcesOf } from "./architecture/source-files.ts";

/** A page of text, with where it lies. */
interface Page {
  readonly path: string;
  readonly text: string;
}

function pagesUnder(folder: string, deep: boolean): readonly Page[] {
  return readdirSync(join(ROOT, folder), { recursive: deep, encoding: "utf8" })
    .filter((file) => file.endsWith(".md") && !file.includes("node_modules") && !file.startsWith("api/"))
    .map((file) => join(ROOT, folder, file))
    .map((path) => ({ path, text: readFileSync(path, "utf8") }));
}

const packagePages = (): readonly Page[] =>
  publishedPackages().flatMap(({ shortName }) => pagesUnder(`packages/${shortName}`, false));

const PAGES = [...pagesUnder(".", false), ...pagesUnder("docs", true), ...packagePages()];

/** The name that a heading gets as a link target on GitHub. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/[`*]/g, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

const anchorsOf = (text: string): readonly string[] =>
  Array.from(text.matchAll(/^#{1,6} +(.+?) *$/gm), ([, heading = ""]) => anchorOf(heading));

const withoutCode = (text: string): string => text.replace(/```[\s\S]*?```|`[^`\n]*`/g, "");

/** Links of `page` that lead nowhere: a missing file, or a heading that its page lacks. */
function brokenLinks({ path, text }: Page): readonly string[] {
  const links = Array.from(withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g), ([, link = ""]) => link);
  return links
    .filter((link) => !/^(?:https?|mailto):/.test(link))
    .filter((link) => {
      const [file = "", anchor] = link.split("#", 2);
      const target = file === "" ? path : join(dirname(path), file);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(target, "utf8")).includes(anchor);
    })
    .map((link) => `${relative(ROOT, path)}: ${link}`);
}

test("every link of the pages leads somewhere", () => {
  expect(PAGES.length).toBeGreaterThan(8);
  expect(PAGES.flatMap(brokenLinks)).toEqual([]);
});

test("finds a planted link to a missing page and to a missing heading", () => {
  const text = "[a](MISSING.md) [b](#missing) [c](https://example.org/x) [d](README.md) `[e](no-link.md)`";

  expect(brokenLinks({ path: join(ROOT, "README.md"), text })).toEqual([
    "README.md: MISSING.md",
    "README.md: #missing",
  ]);
});

const MEASURED = /\b\d+(?:[.,]\d+)? ?(?:ms|µs|kB\/s|MB\/s|GB\/s|steps\/s)(?![\w/])/;

/** Lines with a measured time or rate in a section of their page that names no date. */
function undatedNumbers({ path, text }: Page): readonly string[] {
  return withoutCode(text)
    .split(/^(?=#{1,6} )/m)
    .filter((section) => !/\b20\d\d-\d\d(?:-\d\d)?\b/.test(section))
    .flatMap((section) => section.split("\n").filter((line) => MEASURED.test(line)))
    .map((line) => `${relative(ROOT, path)}: ${line.trim()}`);
}

const ABOUT_MEASUREMENTS = ["README.md", "docs/LIMITS.md", "docs/BENCHMARKS.md"];

test("every decision is in the index of decisions", () => {
  const index = readFileSync(join(ROOT, "docs/decisions/README.md"), "utf8");
  const records = readdirSync(join(ROOT, "docs/decisions")).filter((file) => /^\d{4}-/.test(file));

  expect(records.length).toBeGreaterThan(1);
  expect(records.filter((file) => !index.includes(`(${file})`))).toEqual([]);
});

test("measured numbers stand in a section with their date", () => {
  const pages = PAGES.filter(({ path }) => ABOUT_MEASUREMENTS.includes(relative(ROOT, path)));

  expect(pages.flatMap(undatedNumbers)).toEqual([]);
});

test("finds a planted number without a date", () => {
  const page = (text: string): Page => ({ path: join(ROOT, "README.md"), text });

  expect(undatedNumbers(page("# Speed\nA round takes 12 ms.\n"))).toEqual([
    "README.md: A round takes 12 ms.",
  ]);
  expect(undatedNumbers(page("# Speed\nMeasured 2026-11-23.\nA round takes 12 ms.\n"))).toEqual([]);
});

test("the page of errors is the registry's", () => {
  expect(readFileSync(ERRORS_PAGE, "utf8")).toBe(errorsPage());
});

test("the page of metrics lists exactly those that the code exports", () => {
  const names = (text: string): readonly string[] => {
    const found = Array.from(text.matchAll(/\bphotinus_[a-z0-9_]+/g), ([name]) => name);
    return [...new Set(found)].sort();
  };
  const sources = publishedPackages().flatMap(({ shortName }) => sourcesOf(shortName));

  const exported = names(sources.map(({ text }) => text).join("\n"));

  expect(exported.length).toBeGreaterThan(5);
  expect(names(readFileSync(join(ROOT, "docs/METRICS.md"), "utf8"))).toEqual(exported);
});

const BOUND = /\| \[`(\w+)`\]\(\.\.\/([^)]+)\) \| `([^`]+)` \|/g;

/** Bounds of the page that the named file does not hold. */
function wrongBounds(page: string): readonly string[] {
  return Array.from(page.matchAll(BOUND)).flatMap(([, name = "", path = "", value = ""]) => {
    const lines = readFileSync(join(ROOT, path), "utf8").split("\n");
    const found = lines.some((line) => new RegExp(`\\b${name}\\b.*[=:] `).test(line) && line.includes(value));
    return found ? [] : [`${name} = ${value}`];
  });
}

test("the page of limits tells the bounds of the code", () => {
  const page = readFileSync(join(ROOT, "docs/LIMITS.md"), "utf8");

  expect(Array.from(page.matchAll(BOUND)).length).toBeGreaterThan(20);
  expect(wrongBounds(page)).toEqual([]);
});

test("finds a planted bound that the code does not hold", () => {
  const row = (value: string): string =>
    `| a | [\`MAX_RANK\`](../packages/core/src/tensor/tensor.ts) | \`${value}\` |`;

  expect(wrongBounds(row("8"))).toEqual([]);
  expect(wrongBounds(row("9"))).toEqual(["MAX_RANK = 9"]);
});

test("the check runs the test command that the README names", () => {
  expect(testCommandOf(readFileSync(join(ROOT, "README.md"), "utf8"))).toEqual(["npm", "test"]);
  expect(testCommandOf("```sh\nnpm ci && npm run test:all  # everything\n```")).toEqual([
    "npm",
    "run",
    "test:all",
  ]);
  expect(() => testCommandOf("npm ci && npm start")).toThrow("has 0");
  expect(() => testCommandOf("npm ci && npm test\nnpm ci && npm test")).toThrow("has 2");
});

test("continuous integration installs as the README says and runs the check", () => {
  const script = readFileSync(join(ROOT, ".ci/run"), "utf8");

  expect(script).toMatch(/^npm ci </m);
  expect(script).toMatch(/^exec npm run --silent check </m);
});
