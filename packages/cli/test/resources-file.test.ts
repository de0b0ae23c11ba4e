import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { auditLog } from "@photinus/core/audit";
import { type Clock, silentLogger } from "@photinus/core/platform";
import { memoryAudit } from "@photinus/core/testing";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";
import { ResourcesFile } from "../src/policy/resources-file.ts";
import { folder } from "./run-photinus.ts";

const GPU = JSON.stringify({ format_version: "1.0", gpus: [{ memoryGiB: 24 }] });

/** Resources of a file, which is looked at when the test says so. */
async function resourcesOf(content?: string) {
  const path = join(await folder(), "resources.json");
  if (content !== undefined) await writeFile(path, content);
  const store = memoryAudit(nodeCrypto());
  let due: (() => void) | undefined;
  const clock: Clock = {
    ...systemClock(),
    after: (_ms, run) => {
      due = run;
      return { cancel: () => undefined };
    },
  };
  const file = new ResourcesFile(path, { clock, logger: silentLogger, audit: auditLog(store, clock) });
  onTestFinished(() => file.stop());
  await file.start();
  return {
    path,
    now: () => file.source(),
    look: async () => {
      const run = due;
      due = undefined;
      run?.();
      await expect.poll(() => due).toBeDefined();
    },
    records: async () => {
      const records: string[] = [];
      for await (const { event } of store.read())
        records.push(`${event.object} ${event.outcome} ${event.reason}`);
      return records;
    },
  };
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
