import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const HERE = dirname(fileURLToPath(import.meta.url));
const PAGE = readFileSync(join(HERE, "../../docs/THREAT-MODEL.md"), "utf8");

/** A test that the page names: `file` "title"; "another title of that file". */
interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/** What a cell names: files, each with the titles that follow it. */
function testsOf(cell: string): readonly NamedTest[] {
  const tests: NamedTest[] = [];
  let current: string | undefined;
  for (const [, file, title] of cell.matchAll(/`([a-z0-9/.-]+)`|"([^"]+)"/g)) {
    if (file !== undefined) current = file;
    else if (current !== undefined && title !== undefined) tests.push({ file: current, title });
  }
  return tests;
}

/** The tests in the last cell of each row; a row that names none is given as such. */
function namedTests(page: string): {
  readonly tests: readonly NamedTest[];
  readonly bare: readonly string[];
} {
  const proved = page.split(/^## Not yet$/m)[0] ?? "";
  const rows = Array.from(proved.matchAll(/^\| (?!attack|---)(.+?) \| (.+?) \| (.+) \|$/gm));
  const tests: NamedTest[] = [];
  const bare: string[] = [];
  for (const [, attack = "", , shown = ""] of rows) {
    const named = testsOf(shown);
    if (named.length === 0) bare.push(attack);
    tests.push(...named);
  }
  return { tests, bare };
}

/** Folders beside this one whose tests are named too. */
const BESIDE: readonly string[] = ["federation", "fuzz", "ingress", "single-sign-on"];

/** `floods` is a file of this folder, `fuzz/x`, `federation/x`, `ingress/x` and `single-sign-on/x` ones beside it, `core/site/x` one of a package. */
function pathOf(file: string): string {
  const [name = "", ...path] = file.split("/");
  if (path.length === 0) return join(HERE, `${name}.test.ts`);
  if (BESIDE.includes(name)) return join(HERE, "..", `${file}.test.ts`);
  return join(HERE, "../../packages", name, "test", `${path.join("/")}.test.ts`);
}

function sourceOf(file: string): string {
  try {
    return readFileSync(pathOf(file), "utf8");
  } catch {
    return ""; // a missing file holds no title
  }
}

const isThere = ({ file, title }: NamedTest): boolean => sourceOf(file).includes(`"${title}"`);

test("every attack names the test that shows what stops it, and every named test exists", () => {
  const { tests, bare } = namedTests(PAGE);

  expect(bare).toEqual([]);
  expect(tests.length).toBeGreaterThan(50);
  expect(tests.filter((named) => !isThere(named))).toEqual([]);
});

test("every file of hostile tests is named by the threat model", () => {
  const named = new Set(namedTests(PAGE).tests.map(({ file }) => file));
  const files = readdirSync(HERE)
    .filter((name) => name.endsWith(".test.ts") && name !== "threat-model.test.ts")
    .map((name) => name.slice(0, -".test.ts".length));

  expect(files.filter((file) => !named.has(file))).toEqual([]);
});

test("finds a planted row without a test, and one whose test does not exist", () => {
  const page = '| a | b | nothing |\n| c | d | `floods` "no such test" |\n';

  const { tests, bare } = namedTests(page);

  expect(bare).toEqual(["a"]);
  expect(tests.filter((named) => !isThere(named))).toEqual([{ file: "floods", title: "no such test" }]);
});
