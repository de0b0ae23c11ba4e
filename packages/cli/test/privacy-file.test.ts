import { rm, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { PrivacyFile } from "../src/policy/privacy-file.ts";
import type { SettingsFileModules } from "../src/policy/settings-file.ts";
import { settingsInAFile } from "./settings-in-a-file.ts";

const PUBLIC = '{ "scopes": [{ "name": "public" }], "default_scope": "public" }';
const STUDY = '{ "scopes": [{ "name": "study" }] }';

/** A privacy policy of a file. */
async function aPolicy(content?: string) {
  const create = (path: string, modules: SettingsFileModules) => new PrivacyFile(path, modules);
  const { file, ...rest } = await settingsInAFile({ name: "privacy.json", create, content });
  return {
    ...rest,
    scopes: () => [...(file.source().policy?.scopes.keys() ?? [])],
    problem: () => file.source().problem,
  };
}

test("a site without the file takes no job, and is told the command that makes one", async () => {
  const policy = await aPolicy();

  expect(policy.scopes()).toEqual([]);
  expect(policy.problem()).toContain("photinus policy default privacy > ");
  await writeFile(policy.path, PUBLIC);
  await policy.look();
  expect(policy.scopes()).toEqual(["public"]);
  expect(policy.problem()).toBeUndefined();
  expect(await policy.records()).toEqual(["privacy failed ERR_PRIVACY_POLICY_INVALID", "privacy done "]);
});

test("a broken edit leaves the last valid policy, says where it is wrong, and ends when it is repaired", async () => {
  const policy = await aPolicy(PUBLIC);

  await writeFile(policy.path, '{\n  "scopes": [\n    { "nam": "study" }\n  ]\n}');
  await policy.look();
  expect(policy.scopes()).toEqual(["public"]);
  expect(policy.problem()).toContain(`${policy.path}:3:7 scopes.0.nam is not known: did you mean name?`);

  await writeFile(policy.path, STUDY);
  await policy.look();
  expect(policy.scopes()).toEqual(["study"]);
  expect(policy.problem()).toBeUndefined();
});

test("a file that is removed leaves the last valid policy to jobs that run, and is a problem", async () => {
  const policy = await aPolicy(STUDY);

  await rm(policy.path);
  await policy.look();

  expect(policy.scopes()).toEqual(["study"]);
  expect(policy.problem()).toContain("there is no ");
});
