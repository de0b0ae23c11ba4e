import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

// In Node only: it reads the sources and the document.

/** Core checks all but what only a host can see: the TLS below. */
const SOURCES = ["../../src/", "../../../node-server/src/"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
const DOCUMENT = fileURLToPath(new URL("../../../../docs/WIRE-PROTOCOL.md", import.meta.url));

const numbersIn = (text: string): number[] =>
  [...text.matchAll(/\[W-(\d+)\]/g)].map(([, number]) => Number(number));
const sorted = (numbers: Iterable<number>): number[] => [...new Set(numbers)].sort((a, b) => a - b);

const document = readFileSync(DOCUMENT, "utf8");
const defined = document
  .split("\n")
  .flatMap((line) => (line.startsWith("| [W-") ? numbersIn(line).slice(0, 1) : []));
const quoted = SOURCES.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) => numbersIn(readFileSync(`${folder}${path}`, "utf8"))),
);

test("every condition that the code quotes stands in docs/WIRE-PROTOCOL.md, and the other way round", () => {
  expect(sorted(quoted)).toEqual(sorted(defined));
});

test("a number is defined once, and the document refers to none that it lacks", () => {
  expect(sorted(defined)).toHaveLength(defined.length);
  expect(sorted(numbersIn(document))).toEqual(sorted(defined));
});

test("every condition says what the receiver does", () => {
  const rows = document.split("\n").filter((line) => line.startsWith("| [W-"));

  for (const row of rows) expect(row).toMatch(/\| (close|refuse|reject|drop|wait)[^|]*\|$/);
});
