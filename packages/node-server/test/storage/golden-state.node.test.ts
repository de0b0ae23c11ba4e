// Node only: files.
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { verifyChain } from "@photinus/core/audit";
import { toHex, utf8 } from "@photinus/core/bytes";
import { nodeCrypto } from "@photinus/node-platform";
import { openStorage } from "@photinus/node-server";
import { expect, test } from "vitest";

/** What state version 1 wrote: metadata twice under one key, three audit records, one blob. Never written anew. */
const GOLDEN = fileURLToPath(new URL("./state-1", import.meta.url));

test("opens what state version 1 wrote, unchanged", async () => {
  const folder = await mkdtemp(join(tmpdir(), "photinus-storage-"));
  await cp(GOLDEN, folder, { recursive: true });
  const storage = await openStorage({ folder }, { crypto: nodeCrypto() });

  const head = await verifyChain(nodeCrypto(), storage.audit.read());

  expect(await storage.metadata.get("jobs/1")).toEqual({ key: "jobs/1", value: utf8("second"), revision: 2 });
  expect(head.count).toBe(3);
  expect(toHex(head.hash)).toBe("c88dfd49eeb3593c6a91be0572be05fa62ce6b83dfc59b2433b250cfe37f2b1d");
  expect((await storage.audit.head())?.event).toEqual({
    atMs: 1_767_225_600_002,
    actor: "system",
    action: "round",
    object: "job-1",
    outcome: "done",
    reason: "",
    correlation: "job-1",
    details: { round: 2, partial: false, rule: "weighted-mean" },
  });
  expect(await storage.blobs.get("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")).toEqual(
    utf8("abc"),
  );
  await storage.close();
  await rm(folder, { recursive: true });
});
