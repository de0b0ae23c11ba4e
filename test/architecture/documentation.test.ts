import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ROOT } from "../../scripts/process.ts";

// `npm run docs` holds every package to this; here the gate is shown on planted files.

const folder = mkdtempSync(join(tmpdir(), "photinus-docs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const compilerOptions = { target: "es2022", module: "nodenext", strict: true, skipLibCheck: true, types: [] };
writeFileSync(
  join(folder, "package.json"),
  JSON.stringify({ name: "planted", version: "1.0.0", type: "module" }),
);
writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));

writeFileSync(
  join(folder, "typedoc.json"),
  JSON.stringify({
    extends: [join(ROOT, "docs/typedoc.json")],
    entryPoints: ["planted.ts"],
    tsconfig: "tsconfig.json",
    packagesRequiringDocumentation: ["planted"],
  }),
);

function documentationFaults(text: string): { readonly status: number | null; readonly output: string } {
  const entry = join(folder, "planted.ts");
  writeFileSync(entry, text);
  const typedoc = join(ROOT, "docs/node_modules/typedoc/bin/typedoc");
  const args = [typedoc, "--options", join(folder, "typedoc.json"), "--emit", "none"];
  const result = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  return { status: result.status, output: result.stdout + result.stderr };
}

test("typedoc finds a planted export, field and method without a comment, and a link to nothing", () => {
  const { status, output } = documentationFaults(`
    export const bare = 1;
    /** Has {@link nothing}. */
    export interface Thing {
      field: string;
      /** Told. */
      told: string;
      method(): void;
    }
  `);

  expect(status).not.toBe(0);
  expect(output).toMatch(/bare \(Variable\).*does not have any documentation/);
  expect(output).toMatch(/Thing\.field \(Property\).*does not have any documentation/);
  expect(output).toMatch(/Thing\.method \(CallSignature\).*does not have any documentation/);
  expect(output).toContain('Failed to resolve link to "nothing"');
  expect(output).not.toContain("Thing.told");
});

test("typedoc accepts what is documented", () => {
  const { status, output } = documentationFaults("/** One. */\nexport const one = 1;\n");

  expect(output).not.toContain("warning");
  expect(status).toBe(0);
});
