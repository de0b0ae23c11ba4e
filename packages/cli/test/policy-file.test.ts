import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { type AuditLog, auditLog } from "@photinus/core/audit";
import { policyAuthorizer } from "@photinus/core/authorization";
import { memoryAudit } from "@photinus/core/testing";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { PolicyFile } from "../src/policy/policy-file.ts";
import type { SettingsFileModules } from "../src/policy/settings-file.ts";
import { settingsInAFile } from "./settings-in-a-file.ts";

const STRICT = JSON.stringify({ format_version: "1.0", permissions: { lead: { submit_job: "none" } } });
const WIDE = JSON.stringify({ format_version: "1.0", permissions: { lead: { submit_job: "any" } } });

const UNUSABLE = "refused: the policy of north cannot be used at present";

/** A policy of a file, and what it says to a lead who submits. */
async function aPolicy(
  content?: string,
  audit?: AuditLog,
  place?: (path: string, content: string) => Promise<void>,
) {
  const create = (path: string, modules: SettingsFileModules) => new PolicyFile(path, modules);
  const { file, ...rest } = await settingsInAFile({
    name: "authorization.json",
    create,
    content,
    audit,
    place,
  });
  const authorizer = policyAuthorizer("north", file.source);
  return {
    ...rest,
    asked: () => {
      const user = { name: "ann", org: "north", role: "lead" };
      const { allowed, why } = authorizer.decide({ user, right: "submit_job" });
      return `${allowed ? "allowed" : "refused"}: ${why}`;
    },
    problem: () => {
      const now = file.source();
      return "unusable" in now ? now.unusable : "";
    },
  };
}

test("where there is no file the default policy holds, until there is one", async () => {
  const policy = await aPolicy();
  expect(policy.asked()).toBe("allowed: lead.submit_job allows: any");

  await writeFile(policy.path, STRICT);
  await policy.look();

  expect(policy.asked()).toBe("refused: lead.submit_job allows only: none");
  expect(await policy.records()).toEqual(["authorization done ", "authorization done "]);
});

test("a file that was broken refuses everything, says where, and is taken again when it is repaired", async () => {
  const policy = await aPolicy(WIDE);

  await writeFile(policy.path, WIDE.replace('"any"', '"anybody"'));
  await policy.look();
  expect(policy.asked()).toBe(UNUSABLE);
  expect(policy.problem()).toBe(
    `${policy.path}:1:48 permissions.lead.submit_job: expected any, none, o:<organization> or n:<name>`,
  );
  await writeFile(policy.path, '{ "format_version": "1.0", "permiss');
  await policy.look();
  expect(policy.asked()).toBe(UNUSABLE);
  expect(policy.problem()).toMatch(/authorization\.json:1:\d+ /);
  await writeFile(policy.path, WIDE);
  await policy.look();

  expect(policy.asked()).toMatch(/^allowed/);
  expect(await policy.records()).toEqual([
    "authorization done ",
    "authorization failed ERR_POLICY_INVALID",
    "authorization failed ERR_POLICY_INVALID",
    "authorization done ",
  ]);
});

test("a file that was there and is gone refuses everything: nobody widens a policy by removing it", async () => {
  const policy = await aPolicy(STRICT);

  await rm(policy.path);
  await policy.look();

  expect(policy.asked()).toBe(UNUSABLE);
  expect(policy.problem()).toBe("the file was removed");
});

test("a file that is broken from the beginning, a link or a folder in its place are no missing file", async () => {
  const broken = await aPolicy("{}");
  expect([broken.asked(), broken.problem()]).toEqual([UNUSABLE, expect.stringContaining('expected "1.0"')]);

  const toNowhere = await aPolicy("gone", undefined, (path, content) => symlink(content, path));
  expect(toNowhere.asked()).toBe(UNUSABLE);
  const policy = await aPolicy(STRICT);
  const target = `${policy.path}.real`;
  await writeFile(target, WIDE);
  await rm(policy.path);
  await symlink(target, policy.path);
  await policy.look();
  expect([policy.asked(), policy.problem()]).toEqual([UNUSABLE, expect.stringContaining("no plain file")]);
  await rm(target); // the link leads nowhere
  await policy.look();
  expect(policy.asked()).toBe(UNUSABLE);
  await rm(policy.path);
  await mkdir(policy.path);
  await policy.look();
  expect(policy.asked()).toBe(UNUSABLE);
});

/** Records that can be kept or not, as the test says. */
function aFailingAudit() {
  const disk = { isFull: false };
  const store = auditLog(memoryAudit(nodeCrypto()), systemClock());
  const audit: AuditLog = {
    record: async (note) => {
      if (disk.isFull) throw new Error("the disk is full");
      return await store.record(note);
    },
  };
  return { disk, audit };
}

test("a policy that cannot be recorded does not hold", async () => {
  const { disk, audit } = aFailingAudit();
  const policy = await aPolicy(STRICT, audit);

  disk.isFull = true;
  await writeFile(policy.path, WIDE);
  await policy.look();
  expect([policy.asked(), policy.problem()]).toEqual([UNUSABLE, expect.stringContaining("be recorded")]);
  disk.isFull = false;
  await policy.look();

  expect(policy.asked()).toMatch(/^allowed/);
});

test("a file that was removed while nothing could be recorded is no file that never was", async () => {
  const { disk, audit } = aFailingAudit();
  const policy = await aPolicy(STRICT, audit);

  disk.isFull = true;
  await rm(policy.path);
  await policy.look();
  disk.isFull = false;
  await policy.look();

  expect([policy.asked(), policy.problem()]).toEqual([UNUSABLE, "the file was removed"]);
});
