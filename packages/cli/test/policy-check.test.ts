import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_PRIVACY_DOCUMENT } from "@photinus/core/filter";
import { expect, test } from "vitest";
import { privacyJsonSchema, resourcesJsonSchema } from "../src/commands/policy-schema.ts";
import { folder, run } from "./run-photinus.ts";

async function aFile(content: string): Promise<string> {
  const path = join(await folder(), "policy.json");
  await writeFile(path, content);
  return path;
}

test("policy check says what a privacy policy lets in and out", async () => {
  const file = await aFile(`{
  "scopes": [
    { "name": "study",
      "task_result_filters": [
        { "name": "gaussian-noise", "args": { "clippingNorm": 1, "noiseMultiplier": 2 } },
        { "name": "block-kinds", "args": { "kinds": ["metrics"] } }
      ],
      "budget": { "epsilon": 8, "delta": 1e-5 } },
    { "name": "public" }
  ],
  "default_scope": "public"
}`);

  const { code, out } = await run("policy", "check", file);

  expect(code).toBe(0);
  expect(out).toContain("valid privacy policy of 2 scopes");
  expect(out).toContain("study  in: as it is  out: gaussian-noise, block-kinds  epsilon 8 at delta 0.00001");
  expect(out).toContain("public (default)  in: as it is  out: as it is  no budget");
});

test.each([
  ["a wrong word", '{\n  "scopes": [{ "name": "a" }],\n  "default": "a"\n}', ":3:3 default is not known"],
  [
    "an argument out of range",
    '{\n  "scopes": [{ "name": "a", "task_result_filters": [\n    { "name": "clip-norm", "args": { "clippingNorm": 0 } }\n  ] }]\n}',
    ":3:54 scopes.0.task_result_filters.0.args.clippingNorm: greater than 0 (got 0)",
  ],
  [
    "a scope that stands there twice",
    '{\n  "scopes": [\n    { "name": "a" },\n    { "name": "a" }\n  ]\n}',
    ":4:7 scopes.1.name: this scope stands here twice",
  ],
  ["what is no JSON", "{", ":1:2 Flow map must end with a }"],
])("policy check says where %s stands, and ends with 4", async (_what, content, words) => {
  const file = await aFile(content);

  const { code, err } = await run("policy", "check", file);

  expect(code).toBe(4);
  expect(err).toContain(`${file}${words}`);
});

test("policy check reads an authorization policy too", async () => {
  const valid = await aFile(
    '{ "format_version": "1.0", "permissions": { "lead": { "submit_jobs": "any" } } }',
  );
  const broken = await aFile('{ "format_version": "1.0", "permissions": { "lead": 1 } }');

  const { code, out } = await run("policy", "check", valid);

  expect(code).toBe(0);
  expect(out).toContain("valid authorization policy of 1 roles");
  expect((await run("policy", "check", broken)).code).toBe(4);
});

test("policy default and policy schema print those of privacy.json by name, and refuse other names", async () => {
  expect(JSON.parse((await run("policy", "default", "privacy")).out)).toEqual(DEFAULT_PRIVACY_DOCUMENT);
  expect((await run("policy", "schema", "secrecy")).code).not.toBe(0);
  const file = fileURLToPath(new URL("../../../docs/schema/privacy.schema.json", import.meta.url));

  expect(JSON.parse((await run("policy", "schema", "privacy")).out)).toEqual(privacyJsonSchema());
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual(privacyJsonSchema());
});

test("resources.json has a default to begin with, a schema, and a check that says where it is wrong", async () => {
  const { out } = await run("policy", "default", "resources");
  const file = await aFile(out);

  const checked = await run("policy", "check", file);
  const wrong = await run(
    "policy",
    "check",
    await aFile('{\n  "format_version": "1.0",\n  "gpus": [{ "memoryGiB": 0 }]\n}'),
  );

  expect(checked.code, checked.err).toBe(0);
  expect(checked.out).toContain("valid list of resources\n0 GPUs\nat most 10000 rounds\n");
  expect(wrong.code).toBe(4);
  expect(wrong.err).toContain(":3:27 gpus.0.memoryGiB: greater than 0 (got 0)");
  expect(JSON.parse((await run("policy", "schema", "resources")).out)).toEqual(resourcesJsonSchema());
  const page = fileURLToPath(new URL("../../../docs/schema/resources.schema.json", import.meta.url));
  expect(JSON.parse(await readFile(page, "utf8"))).toEqual(resourcesJsonSchema());
});
