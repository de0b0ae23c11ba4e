import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MESSAGES } from "@photinus/core/message";
import { expect, test } from "vitest";
import { ROOT } from "../scripts/process.ts";

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
  const rows = page.matchAll(/^\| (\d+) \| ([a-z-]+) \| (SIGNED|MESSAGE) \| ([a-z, ]+) \| `\{/gm);
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
