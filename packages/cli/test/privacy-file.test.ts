import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { auditLog } from "@photinus/core/audit";
import { type Clock, silentLogger } from "@photinus/core/platform";
import { memoryAudit } from "@photinus/core/testing";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";
import { PrivacyFile } from "../src/policy/privacy-file.ts";
import { folder } from "./run-photinus.ts";

const PUBLIC = '{ "scopes": [{ "name": "public" }], "default_scope": "public" }';
const STUDY = '{ "scopes": [{ "name": "study" }] }';

/** A privacy policy of a file, which is looked at when the test says so. */
async function aPolicy(content?: string) {
  const path = join(await folder(), "privacy.json");
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
  const file = new PrivacyFile(path, { clock, logger: silentLogger, audit: auditLog(store, systemClock()) });
  onTestFinished(() => file.stop());
  await file.start();
  return {
    path,
    scopes: () => [...(file.source().policy?.scopes.keys() ?? [])],
    problem: () => file.source().problem,
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
