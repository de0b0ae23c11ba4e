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
    const file = /^`([a-z/-]+)`/.exec(shown)?.[1];
    const titles = Array.from(shown.matchAll(/"([^"]+)"/g), ([, title = ""]) => title);
    if (file === undefined || titles.length === 0) bare.push(attack);
    else tests.push(...titles.map((title) => ({ file, title })));
  }
  return { tests, bare };
}

/** `floods` is a file of this folder, `core/site/x` one of a package. */
function pathOf(file: string): string {
  const [name = "", ...path] = file.split("/");
  const isHere = path.length === 0;
  return isHere
    ? join(HERE, `${name}.test.ts`)
    : join(HERE, "../../packages", name, "test", `${path.join("/")}.test.ts`);
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
