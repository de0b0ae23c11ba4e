import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import {
  auditContract,
  blobContract,
  busContract,
  metadataContract,
  scratchContract,
} from "@photinus/core/testing/contracts";
import { nodeCrypto } from "@photinus/node-platform";
import { type EmbeddedStorage, openStorage } from "@photinus/node-server";
import { afterEach, expect, test } from "vitest";

const opened: { readonly storage: EmbeddedStorage; readonly folder: string }[] = [];

async function aStorage(): Promise<EmbeddedStorage> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-storage-"));
  const storage = await openStorage({ folder }, { crypto: nodeCrypto() });
  opened.push({ storage, folder });
  return storage;
}

afterEach(async () => {
  for (const { storage, folder } of opened.splice(0)) {
    await storage.close();
    await rm(folder, { recursive: true });
  }
});

metadataContract("libsql", async () => (await aStorage()).metadata);
blobContract("files", async () => (await aStorage()).blobs);
auditContract("libsql", async () => (await aStorage()).audit, nodeCrypto());
scratchContract("files", async () => (await aStorage()).scratch);

test("scratch files are readable by this user only, and what a killed process left is removed at the start", async () => {
  const folder = await mkdtemp(join(tmpdir(), "photinus-storage-"));
  await mkdir(join(folder, "scratch"));
  await writeFile(join(folder, "scratch", "left-behind"), "ciphertext");
  const storage = await openStorage({ folder }, { crypto: nodeCrypto() });
  opened.push({ storage, folder });
  expect(await readdir(join(folder, "scratch"))).toEqual([]);

  const file = await storage.scratch.open();

  const [name = ""] = await readdir(join(folder, "scratch"));
  expect((await stat(join(folder, "scratch", name))).mode & 0o777).toBe(0o600);
  await file.close();
  expect(await readdir(join(folder, "scratch"))).toEqual([]);
});

busContract(
  "embedded storage",
  async () => {
    const { bus } = await aStorage();
    return [bus, bus];
  },
  turn,
);
