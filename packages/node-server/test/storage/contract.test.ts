import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditContract, blobContract, metadataContract } from "@photinus/core/testing/contracts";
import { nodeCrypto } from "@photinus/node-platform";
import { type EmbeddedStorage, openStorage } from "@photinus/node-server";
import { afterEach } from "vitest";

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
