import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MESSAGES } from "@photinus/core/message";
import { expect, test } from "vitest";
import { ROOT } from "../scripts/process.ts";
import { SHOWN } from "./wire-conditions.ts";

const PAGE = readFileSync(join(ROOT, "docs/WIRE-PROTOCOL.md"), "utf8");

/** A row of the table of messages. */
interface Row {
  readonly type: number;
  readonly name: string;
  readonly signed: boolean;
  readonly from: readonly string[];
}

/** The rows of "Messages of jobs". */
function messagesOf(page: string): readonly Row[] {
  const rows = page.matchAll(/^\| (\d+) \| ([a-z-]+) \| (SIGNED|MESSAGE) \| ([a-z_, ]+) \| `\{/gm);
  return Array.from(rows, ([, type = "", name = "", travels = "", from = ""]) => ({
    type: Number(type),
    name,
    signed: travels === "SIGNED",
    from: from.split(", "),
  }));
}

const PEOPLE = ["project_admin", "org_admin", "lead", "member"];

test("the page names every message of jobs, how it travels and who sends it", () => {
  const ours = [...MESSAGES.values()].map(({ type, name, signed, from }) => {
    const people = from.filter((role) => PEOPLE.includes(role));
    const others = from.filter((role) => !PEOPLE.includes(role));
    return { type, name, signed, from: people.length === PEOPLE.length ? ["user", ...others] : [...from] };
  });

  expect(messagesOf(PAGE)).toEqual(ours.toSorted((left, right) => left.type - right.type));
});

test("reads a planted row", () => {
  expect(messagesOf("| 99 | made-up | SIGNED | user, site | `{a}` |")).toEqual([
    { type: 99, name: "made-up", signed: true, from: ["user", "site"] },
  ]);
});

/** The conditions that the page numbers, in its order. */
const conditionsOf = (page: string): readonly string[] =>
  Array.from(page.matchAll(/^\| (\[W-\d+\]) \|/gm), ([, number = ""]) => number);

/** The source of a test by its short name; empty when there is no such file. */
function sourceOf(file: string): string {
  const [where = "", ...path] = file.split("/");
  const folder = where === "core" ? "packages/core/test" : `test/${where}`;
  const paths = ["test", "node.test", "long.test"].map((kind) =>
    join(ROOT, folder, `${path.join("/")}.${kind}.ts`),
  );
  const found = paths.find((candidate) => existsSync(candidate));
  return found === undefined ? "" : readFileSync(found, "utf8");
}

/** Conditions whose test is not where {@link SHOWN} says. */
const unshown = (shown: typeof SHOWN): readonly string[] =>
  Object.entries(shown).flatMap(([number, [file, title]]) =>
    sourceOf(file).includes(`"${title}"`) ? [] : [number],
  );

test("every condition has a test that shows it, and every named test exists", () => {
  const conditions = conditionsOf(PAGE);

  expect(conditions.length).toBeGreaterThan(100);
  expect(
    conditions.filter((number) => SHOWN[number] === undefined),
    "add them to test/wire-conditions.ts",
  ).toEqual([]);
  expect(Object.keys(SHOWN).filter((number) => !conditions.includes(number))).toEqual([]);
  expect(unshown(SHOWN)).toEqual([]);
});

test("finds a planted condition whose test does not exist", () => {
  expect(conditionsOf("| [W-999] | x | close |")).toEqual(["[W-999]"]);
  expect(unshown({ "[W-999]": ["core/wire/frame", "no such test"], "[W-998]": ["core/none", "x"] })).toEqual([
    "[W-999]",
    "[W-998]",
  ]);
});
