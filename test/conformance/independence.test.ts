import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { importsOf } from "../architecture/source-files.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** Starts the server that the second implementation talks to. */
const ABOUT_A_SERVER = ["live.test.ts", "independence.test.ts"];
/** A socket is no part of the protocol. */
const ALLOWED = [...builtinModules.map((name) => `node:${name}`), "ws", "vitest"];

const foreignImports = (text: string): readonly string[] =>
  importsOf(text)
    .map(({ specifier }) => specifier)
    .filter((specifier) => !ALLOWED.includes(specifier) && !/^\.\/[a-z-]+\.ts$/.test(specifier));

test("the second implementation shares no code with the first", () => {
  const files = readdirSync(HERE).filter((file) => !ABOUT_A_SERVER.includes(file));

  expect(files.length).toBeGreaterThan(15);
  const foreign = files.flatMap((file) =>
    foreignImports(readFileSync(`${HERE}${file}`, "utf8")).map((specifier) => `${file}: ${specifier}`),
  );
  expect(foreign).toEqual([]);
});

test("finds a planted import of ours", () => {
  const text =
    'import { decode } from "@photinus/core/decomposer";\nimport { x } from "../federation/x.ts";\n';

  expect(foreignImports(text)).toEqual(["@photinus/core/decomposer", "../federation/x.ts"]);
});
