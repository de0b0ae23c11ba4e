import { rm, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { ResourcesFile } from "../src/policy/resources-file.ts";
import type { SettingsFileModules } from "../src/policy/settings-file.ts";
import { settingsInAFile } from "./settings-in-a-file.ts";

const GPU = JSON.stringify({ format_version: "1.0", gpus: [{ memoryGiB: 24 }] });

/** Resources of a file. */
async function resourcesOf(content?: string) {
  const create = (path: string, modules: SettingsFileModules) => new ResourcesFile(path, modules);
  const { file, ...rest } = await settingsInAFile({ name: "resources.json", create, content });
  return { ...rest, now: () => file.source() };
}

test("a site without a file has nothing that jobs may ask for", async () => {
  const { now, records } = await resourcesOf();

  expect(now()).toEqual({ format_version: "1.0" });
  expect(await records()).toEqual(["resources done "]);
});

test("what is saved holds after the next look, and is recorded", async () => {
  const { path, now, look, records } = await resourcesOf();

  await writeFile(path, GPU);
  await look();

  expect(now()).toEqual({ format_version: "1.0", gpus: [{ memoryGiB: 24 }] });
  expect(await records()).toEqual(["resources done ", "resources done "]);
});

test("a mistake is told with line and column, and nothing is to be had until it is repaired", async () => {
  const { path, now, look, records } = await resourcesOf(GPU);

  await writeFile(path, '{\n  "format_version": "1.0",\n  "gpu": []\n}');
  await look();
  expect(now()).toMatchObject({ unusable: expect.stringContaining("resources.json:3:3 gpu is not known") });
  expect(await records()).toContain("resources failed ERR_CONFIG_INVALID");

  await writeFile(path, GPU);
  await look();
  expect(now()).toHaveProperty("gpus");
});

test("a file that was there and is gone leaves nothing to be had", async () => {
  const { path, now, look } = await resourcesOf(GPU);

  await rm(path);
  await look();

  expect(now()).toEqual({ unusable: "the file was removed" });
});
