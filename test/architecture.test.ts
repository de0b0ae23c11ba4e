import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../scripts/process.ts";
import { publishedPackages } from "../scripts/workspaces.ts";
import { LAYERS, layerFaults } from "./architecture/layers.ts";
import { PACKAGE_RULES, packageFaults } from "./architecture/package-imports.ts";
import { importsOf, sourcesOf } from "./architecture/source-files.ts";

const PACKAGES = readdirSync(join(ROOT, "packages"));

test("a file of core imports its own layer or a lower one, through the index", () => {
  const files = sourcesOf("core");

  expect(files.length).toBeGreaterThan(30);
  expect(layerFaults(files)).toEqual([]);
});

test.for(PACKAGES)("%s imports only what its line in the house allows", (name) => {
  expect(packageFaults(name, sourcesOf(name))).toEqual([]);
});

test("every line in the house is a package", () => {
  expect(Object.keys(PACKAGE_RULES).sort()).toEqual([...PACKAGES].sort());
});

test("a package declares exactly those of our packages that it may use", () => {
  for (const { shortName, manifest } of publishedPackages()) {
    const { ours = [], files = [] } = PACKAGE_RULES[shortName] ?? {};
    const allowed = [...ours, ...files].map((name) => name.split("/").slice(0, 2).join("/"));
    const declared = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith("@photinus/"));
    expect([...declared].sort(), shortName).toEqual([...new Set(allowed)].sort());
  }
});

test("every folder of core is exported under its own name", () => {
  const manifest = publishedPackages().find(({ shortName }) => shortName === "core")?.manifest;
  const folders = readdirSync(join(ROOT, "packages/core/src"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

  expect(folders.filter((name) => manifest?.exports?.[`./${name}`] === undefined)).toEqual([]);
  expect(folders.filter((name) => !(LAYERS as readonly string[]).includes(name))).toEqual([]);
});

test("every export begins with the source condition and ends in dist", () => {
  for (const { name, folder, manifest } of publishedPackages()) {
    for (const [subpath, conditions] of Object.entries(manifest.exports ?? {})) {
      const where = `${name} ${subpath}`;
      expect(Object.keys(conditions), where).toEqual(["@photinus/source", "types", "default"]);
      const source = conditions["@photinus/source"] ?? "";
      expect(existsSync(join(folder, source)), `${where} exists`).toBe(true);
      expect(conditions["types"], where).toBe(source.replace("./src/", "./dist/").replace(/\.ts$/, ".d.ts"));
      expect(conditions["default"], where).toBe(source.replace("./src/", "./dist/").replace(/\.ts$/, ".js"));
    }
  }
});

// The gates themselves: a planted violation of each must be found.

const planted = (path: string, text: string): readonly { readonly path: string; readonly text: string }[] => [
  { path, text },
];

test("finds a planted import of a higher layer", () => {
  const files = planted(
    "packages/core/src/bytes/planted.ts",
    'import {\n  seal,\n} from "../envelope/index.ts";\n',
  );

  expect(layerFaults(files)).toEqual([
    "packages/core/src/bytes/planted.ts imports ../envelope/index.ts, a higher layer",
  ]);
});

test("finds a planted type-only, a re-exported, a bare and a dynamic import of a higher layer", () => {
  const text = [
    'import type { A } from "../testing/index.ts";',
    'export { b } from "../site/index.ts";',
    'import "../job/index.ts";',
    'const late = await import("../workflow/index.ts");',
  ].join("\n");

  expect(layerFaults(planted("packages/core/src/wire/planted.ts", text))).toHaveLength(4);
});

test("finds a planted import past the index of a layer, and out of core", () => {
  const text = 'import { a } from "../bytes/text.ts";\nimport { b } from "../../../training/src/index.ts";\n';

  expect(layerFaults(planted("packages/core/src/wire/planted.ts", text))).toEqual([
    "packages/core/src/wire/planted.ts imports ../bytes/text.ts, past the index of its layer",
    "packages/core/src/wire/planted.ts imports ../../../training/src/index.ts, outside of core",
  ]);
});

test("finds a planted folder that is in no layer", () => {
  expect(layerFaults(planted("packages/core/src/utils/planted.ts", ""))).toEqual([
    "packages/core/src/utils/planted.ts is in no layer",
  ]);
});

test.for([
  ["core", 'import { readFile } from "node:fs/promises";'],
  ["core", 'import { train } from "@photinus/training";'],
  ["core", 'import * as pkijs from "pkijs";'],
  ["core", 'import { test } from "vitest";'],
  ["node-server", 'import { differentiate } from "@photinus/training";'],
  ["node-client", 'import { serve } from "@photinus/node-server";'],
  ["monitor", 'import { startSite } from "@photinus/core/site";'],
  ["web-client", 'import { join } from "node:path";'],
  ["training", 'import { InferenceSession } from "onnxruntime-node";'],
  ["unheard-of", ""],
] as const)("finds the planted import in %s: %s", ([name, text]) => {
  expect(packageFaults(name, planted(`packages/${name}/src/planted.ts`, text))).toHaveLength(1);
});

test("lets core load the certificate library lazily, and name its types", () => {
  const text = 'import type { Certificate } from "pkijs";\nconst pkijs = await import("pkijs");';

  expect(packageFaults("core", planted("packages/core/src/pki/x.ts", text))).toEqual([]);
});

test("reads every form of import", () => {
  const text = [
    'import a, { type B } from "a";',
    "import * as c from 'c';",
    'import "d";',
    'export { e } from "e";',
    'export const text = "from f";',
    'const g = import("g");',
  ].join("\n");

  expect(importsOf(text).map(({ specifier }) => specifier)).toEqual(["a", "c", "d", "e", "g"]);
});
