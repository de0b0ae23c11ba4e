import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ROOT } from "../scripts/process.ts";

/** Inside the repository, where packages resolve; git ignores it. */
const folder = join(ROOT, ".vite/examples");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pages = [
  "README.md",
  "docs/guide/train.md",
  "docs/guide/researcher.md",
  ...readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}/README.md`),
];

/** The blocks of TypeScript in a page. */
function examplesIn(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return Array.from(text.matchAll(/```ts\n([\s\S]*?)```/g), ([, code = ""]) => code);
}

function faultsOf(examples: readonly string[]): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [index, code] of examples.entries()) writeFileSync(join(folder, `example-${index}.ts`), code);
  const settings = { extends: "../../tsconfig.test.json", include: ["*.ts"], exclude: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
  const compiler = join(ROOT, "node_modules/.bin/tsc");
  const { status, stdout, stderr } = spawnSync(compiler, ["-p", folder], { cwd: ROOT, encoding: "utf8" });
  return status === 0 ? "" : `status ${status}: ${stdout}${stderr}`;
}

test("every package has a page, and the examples of the pages compile", () => {
  const examples = pages.flatMap(examplesIn);

  expect(examples.length).toBeGreaterThan(3);
  expect(faultsOf(examples)).toBe("");
});

test("finds a planted example of something that does not exist", () => {
  expect(faultsOf(['import { launch } from "@photinus/node-server";\nlaunch();\n'])).toContain("launch");
});
