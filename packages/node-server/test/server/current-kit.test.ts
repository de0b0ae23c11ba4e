import { auditLog } from "@photinus/core/audit";
import { StorageError } from "@photinus/core/errors";
import { silentLogger } from "@photinus/core/platform";
import type { OpenedKit } from "@photinus/core/provision";
import { memoryAudit, TEST_EPOCH_MS, testProject, virtualClock } from "@photinus/core/testing";
import { nodeCrypto } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { CurrentKit } from "../../src/server/current-kit.ts";
import { serverKitOf } from "./an-opened-kit.ts";

const crypto = nodeCrypto();
const DAY_MS = 86_400_000;

/** A server by a kit that was issued at the epoch, and what it would be renewed by. */
async function aServer() {
  const clock = virtualClock({ startMs: TEST_EPOCH_MS });
  const project = await testProject({ crypto, clock });
  const issuedAt = (kit: OpenedKit, notBeforeMs: number): OpenedKit => ({
    ...kit,
    manifest: { ...kit.manifest, notBeforeMs },
  });
  const before = issuedAt(serverKitOf(project), TEST_EPOCH_MS);
  const after: OpenedKit = {
    ...issuedAt(before, TEST_EPOCH_MS + DAY_MS),
    identity: await project.add("server", "hub"),
  };
  const store = memoryAudit(crypto);
  const presented: string[] = [];
  const renewed: OpenedKit[] = [];
  const modules = {
    ...{ audit: auditLog(store, clock), logger: silentLogger, revocations: project.revocations },
    replaceTls: ({ certificate }: { readonly certificate: string }) => void presented.push(certificate),
    renewed: (kit: OpenedKit) => void renewed.push(kit),
  };
  const tls = (certificate: string) => ({ certificate, privateKey: "" });
  const current = new CurrentKit({ kit: before, tls: tls("before") });
  return { project, before, after, current, modules, presented, renewed, tls, issuedAt };
}

test("a kit that was issued later is in force at once", async () => {
  const { after, current, modules, presented, renewed, tls } = await aServer();

  await current.take({ kit: after, tls: tls("after") }, modules);

  expect(current.kit).toBe(after);
  expect([presented, renewed]).toEqual([["after"], [after]]);
});

test("a kit that was issued earlier is refused, also one of the same moment that ends earlier", async () => {
  const { before, after, current, modules, presented, issuedAt, tls } = await aServer();
  const earlier = issuedAt(after, TEST_EPOCH_MS - 1);
  const sooner = issuedAt(after, TEST_EPOCH_MS);
  const shorter = { ...sooner, manifest: { ...sooner.manifest, notAfterMs: TEST_EPOCH_MS + DAY_MS } };

  for (const kit of [earlier, shorter]) {
    await expect(current.take({ kit, tls: tls("after") }, modules)).rejects.toMatchObject({
      code: "ERR_KIT_OLDER",
    });
  }

  expect(current.kit).toBe(before);
  expect(presented).toEqual([]);
});

test("a kit whose certificate was revoked is refused", async () => {
  const { project, before, after, current, modules } = await aServer();
  await project.revocations.take(await project.revoke(after.identity));

  await expect(current.take({ kit: after }, modules)).rejects.toMatchObject({ code: "ERR_SERVER_REVOKED" });

  expect(current.kit).toBe(before);
});

test("what cannot be recorded does not take effect: TLS presents the certificate of before again", async () => {
  const { before, after, current, modules, presented, renewed, tls } = await aServer();
  const audit = { record: () => Promise.reject(new StorageError("ERR_STORAGE_UNAVAILABLE", "full")) };

  const taken = current.take({ kit: after, tls: tls("after") }, { ...modules, audit });

  await expect(taken).rejects.toMatchObject({ code: "ERR_STORAGE_UNAVAILABLE" });
  expect(current.kit).toBe(before);
  expect([presented, renewed]).toEqual([["after", "before"], []]);
});
