import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyChain } from "@photinus/core/audit";
import type { AuditEvent, AuditRecord } from "@photinus/core/platform";
import { nodeCrypto, readAuditFile } from "@photinus/node-platform";
import { type EmbeddedStorage, openStorage } from "@photinus/node-server";
import Connection from "libsql";
import { expect, onTestFinished, test } from "vitest";

const crypto = nodeCrypto();

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-segments-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const opening = (folder: string): Promise<EmbeddedStorage> =>
  openStorage({ folder, segmentRecords: 300 }, { crypto });

const anEvent = (index: number): AuditEvent => ({
  ...{ atMs: index, actor: `aa user-${index % 3}`, action: "job", object: `${index}` },
  ...{ outcome: "done", reason: "", correlation: "", details: {} },
});

/** A folder with 700 records: two segments of at least 300, the rest in the table. */
async function sevenHundred(): Promise<string> {
  const folder = await aFolder();
  for (let begin = 0; begin < 700; begin += 350) {
    const storage = await opening(folder);
    await Promise.all(
      Array.from({ length: 350 }, (_, index) => storage.audit.append(anEvent(begin + index))),
    );
    await storage.close();
  }
  return folder;
}

async function collect(records: AsyncIterable<AuditRecord>): Promise<readonly AuditRecord[]> {
  const collected: AuditRecord[] = [];
  for await (const record of records) collected.push(record);
  return collected;
}

test("old records go to segments without names; what is read is one chain with them, from anywhere", async () => {
  const folder = await sevenHundred();
  const [first = "", second = "", ...more] = (await readdir(join(folder, "audit"))).sort();
  const storage = await opening(folder);

  const records = await collect(storage.audit.read());

  expect(more).toEqual([]);
  expect(records.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 700 }, (_, at) => at + 1));
  expect(records.map(({ event }) => event)).toEqual(records.map((_, index) => anEvent(index)));
  expect((await verifyChain(crypto, records)).count).toBe(700);
  for (const from of [200, Number(first.slice(6, 22)), Number(second.slice(6, 22)) + 1, 700])
    expect((await collect(storage.audit.read(from)))[0]?.sequence).toBe(from);
  expect(await readFile(join(folder, "audit", first), "utf8")).not.toContain("user-");
  expect(await storage.audit.begin()).toBeUndefined();
  await storage.close();
  const database = new Connection(join(folder, "photinus.db"));
  expect(database.prepare("SELECT min(sequence) AS first FROM audit").all()).toEqual([
    { first: Number(second.slice(6, 22)) },
  ]);
  expect(() => database.exec("DELETE FROM audit")).toThrow("append-only");
  database.close();
});

test("segments that were moved to an archive verify there, and the rest goes on from their last hash", async () => {
  const folder = await sevenHundred();
  const [first = ""] = (await readdir(join(folder, "audit"))).sort();
  const archive = join(folder, "archive");
  await mkdir(archive);
  await rename(join(folder, "audit", first), join(archive, first));
  const storage = await opening(folder);

  const from = await storage.audit.begin();
  const archived = await verifyChain(crypto, readAuditFile(join(archive, first)));

  expect(from).toEqual(archived);
  expect((await verifyChain(crypto, storage.audit.read(), { from: archived })).count).toBe(700);
  await expect(verifyChain(crypto, storage.audit.read())).rejects.toMatchObject({ sequence: 1 });
  await storage.close();
});

test("a segment that was changed or left out is named", async () => {
  const folder = await sevenHundred();
  const [first = "", second = ""] = (await readdir(join(folder, "audit"))).sort();
  const path = join(folder, "audit", first);
  const text = await readFile(path, "utf8");
  const verified = async (): Promise<unknown> => {
    const storage = await opening(folder);
    try {
      return await verifyChain(crypto, storage.audit.read());
    } finally {
      await storage.close();
    }
  };

  await writeFile(path, text.replace('"object":"4"', '"object":"5"'));
  await expect(verified()).rejects.toMatchObject({ code: "ERR_AUDIT_BROKEN", sequence: 5 });
  await writeFile(path, text);
  await rm(join(folder, "audit", second));
  await expect(verified()).rejects.toMatchObject({ sequence: Number(first.slice(6, 22)) + 1 });
});

test("a name is erased from table and segments alike, the file of the database keeps nothing of it", async () => {
  const folder = await sevenHundred();
  const storage = await opening(folder);

  const erased = await storage.audit.erase("user-1");

  const records = await collect(storage.audit.read());
  expect(erased).toBe(233);
  expect(records.filter(({ event }) => event.actor.startsWith("aa ref:"))).toHaveLength(233);
  expect((await verifyChain(crypto, records)).count).toBe(700);
  await storage.close();
  const bytes = await readFile(join(folder, "photinus.db"), "latin1");
  expect(bytes).not.toContain("user-1");
  expect(bytes).toContain("user-2");
});

test("where a segment cannot be written the records stay in the table and the chain goes on", async () => {
  const folder = await aFolder();
  const storage = await opening(folder);
  await writeFile(join(folder, "audit"), ""); // in place of the folder

  await Promise.all(Array.from({ length: 320 }, (_, index) => storage.audit.append(anEvent(index))));
  await storage.audit.settled();

  expect((await verifyChain(crypto, storage.audit.read())).count).toBe(320);
  await storage.close();
});
