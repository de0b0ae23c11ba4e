import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../../scripts/process.ts";
import { type SourceFile, sourcesOf } from "./source-files.ts";

const MOST_LINES = 400;

const tooLong = (files: readonly SourceFile[]): readonly string[] =>
  files.filter(({ text }) => text.split("\n").length - 1 > MOST_LINES).map(({ path }) => path);

/** Time and randomness come in as arguments in core and training (Clock, Random). */
const AMBIENT = /\b(?:Date\.now|Math\.random)\b|\bnew Date\(\)/;

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

const ambient = (files: readonly SourceFile[]): readonly string[] =>
  files.filter(({ text }) => AMBIENT.test(withoutComments(text))).map(({ path }) => path);

test("no source file has more than 400 lines", () => {
  expect(tooLong(readdirSync(join(ROOT, "packages")).flatMap(sourcesOf))).toEqual([]);
});

test("core and training read neither the time nor randomness of their surroundings", () => {
  expect(ambient([...sourcesOf("core"), ...sourcesOf("training")])).toEqual([]);
});

test("finds a planted file of 401 lines, a planted Date.now and a planted Math.random", () => {
  expect(tooLong([{ path: "a.ts", text: "a\n".repeat(401) }])).toEqual(["a.ts"]);
  expect(tooLong([{ path: "a.ts", text: "a\n".repeat(400) }])).toEqual([]);
  const texts = ["const a = Date.now();", "const a = new Date();", "const a = Math.random();"];
  for (const text of texts) expect(ambient([{ path: "a.ts", text }])).toEqual(["a.ts"]);
  expect(ambient([{ path: "a.ts", text: "/** Not Date.now(). */\n  // nor Math.random()\n" }])).toEqual([]);
});

// Biome's part of the house, shown on planted violations in a copy of the configuration.

const CORE = "packages/core/src/planted";
const PLANTED = [
  [
    `${CORE}/node-module.ts`,
    "noNodejsModules",
    'import { join } from "node:path";\nexport const a: string = join("a");\n',
  ],
  [`${CORE}/buffer.ts`, "noRestrictedGlobals", "export const a: unknown = Buffer;\n"],
  [`${CORE}/process.ts`, "noRestrictedGlobals", "export const a: unknown = process.env;\n"],
  [`${CORE}/document.ts`, "noRestrictedGlobals", "export const a: unknown = document.body;\n"],
  [`${CORE}/socket.ts`, "noRestrictedGlobals", 'export const a: unknown = new WebSocket("ws://a");\n'],
  [`${CORE}/timer.ts`, "noRestrictedGlobals", "export const a: unknown = setTimeout(() => undefined, 1);\n"],
  ["packages/training/src/timer.ts", "noRestrictedGlobals", "export const a: unknown = performance.now();\n"],
  [`${CORE}/enum.ts`, "noEnum", "export enum A {\n  B = 0,\n}\n"],
  [`${CORE}/any.ts`, "noExplicitAny", "export const a: any = 1;\n"],
  [`${CORE}/non-null.ts`, "noNonNullAssertion", "export const a = (b?: string): string => b!;\n"],
  [`${CORE}/default.ts`, "noDefaultExport", "export default 1;\n"],
  [`${CORE}/console.ts`, "noConsole", "export const a = (): void => console.log(1);\n"],
  [
    `${CORE}/cycle-a.ts`,
    "noImportCycles",
    'import { b } from "./cycle-b.ts";\nexport const a: unknown = () => b;\n',
  ],
  [
    `${CORE}/cycle-b.ts`,
    "noImportCycles",
    'import { a } from "./cycle-a.ts";\nexport const b: unknown = () => a;\n',
  ],
  [
    `${CORE}/lines.ts`,
    "noExcessiveLinesPerFunction",
    `export function a(b: number[]): void {\n${"  b.push(1);\n".repeat(61)}}\n`,
  ],
  [
    "packages/node-server/src/floating.ts",
    "noFloatingPromises",
    "async function late(): Promise<void> {}\nexport function a(): void {\n  late();\n}\n",
  ],
  [
    "packages/node-server/src/switch.ts",
    "useExhaustiveSwitchCases",
    'export function a(b: "x" | "y"): number {\n  switch (b) {\n    case "x":\n      return 1;\n  }\n  return 0;\n}\n',
  ],
  [
    "packages/node-client/src/undeclared.ts",
    "noUndeclaredDependencies",
    'import { serve } from "@photinus/node-server";\nexport const a: unknown = serve;\n',
  ],
] as const;
const CLEAN = `${CORE}/clean.ts`;

const folder = mkdtempSync(join(tmpdir(), "photinus-lint-"));
let findings: readonly { readonly path: string; readonly category: string }[] = [];

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

beforeAll(() => {
  const {
    vcs: _vcs,
    $schema: _schema,
    ...settings
  } = JSON.parse(readFileSync(join(ROOT, "biome.json"), "utf8"));
  write("biome.json", JSON.stringify(settings));
  for (const name of ["core", "training", "node-client", "node-server"]) {
    const manifest = `packages/${name}/package.json`;
    write(manifest, readFileSync(join(ROOT, manifest), "utf8"));
  }
  for (const [path, , text] of PLANTED) write(path, text);
  write(CLEAN, "/** One. */\nexport const one = (): number => 1;\n");
  const biome = join(ROOT, "node_modules/.bin/biome");
  const args = ["lint", "--reporter=json", "--max-diagnostics=none", "."];
  const { stdout } = spawnSync(biome, args, { cwd: folder, encoding: "utf8" });
  const report = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: unknown } }[] };
  findings = report.diagnostics.map(({ category, location }) => ({
    path: JSON.stringify(location.path),
    category,
  }));
});

afterAll(() => rmSync(folder, { recursive: true }));

test.for(PLANTED)("biome finds the planted violation in %s of %s", ([path, rule]) => {
  const found = findings.filter((finding) => finding.path.includes(path));

  expect(found.map(({ category }) => category.split("/").at(-1))).toContain(rule);
});

test("biome finds nothing in a clean file of core", () => {
  expect(findings.filter(({ path }) => path.includes(CLEAN))).toEqual([]);
});

test("core and training are compiled under the types of a worker and again under Node's", () => {
  for (const name of ["core", "training"]) {
    const settings = (file: string): { readonly types: readonly string[]; readonly lib: readonly string[] } =>
      JSON.parse(readFileSync(join(ROOT, "packages", name, file), "utf8")).compilerOptions;
    expect(settings("tsconfig.json")).toMatchObject({ types: [], lib: ["ES2023", "WebWorker"] });
    expect(settings("tsconfig.node.json")).toMatchObject({ types: ["node"], lib: ["ES2023"] });
  }
});
