// Only in Node: the driver is native code.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { StorageError } from "@photinus/core/errors";
import Connection from "libsql";
import { expect, onTestFinished, test, vi } from "vitest";
import { Database, statement } from "../../src/storage/database.ts";
import { touchPrivateFile } from "../../src/storage/folder.ts";
import { GroupWriter } from "../../src/storage/group-writer.ts";

const PUT = "INSERT INTO metadata VALUES (?, x'00', 1) RETURNING revision";

async function aDatabase(): Promise<{ readonly database: Database; readonly writer: GroupWriter }> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-group-writer-"));
  const file = join(folder, "photinus.db");
  await touchPrivateFile(file);
  const database = Database.open(file);
  onTestFinished(async () => {
    database.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { database, writer: new GroupWriter(database) };
}

function put(writer: GroupWriter, key: string): Promise<number> {
  return writer.submit({ prepare: () => [statement(PUT, key)], conclude: (results) => results.length });
}

test("writes of one turn, and those that the following turns bring, share one commit", async () => {
  const { database, writer } = await aDatabase();
  const commit = vi.spyOn(database, "commit");

  const writes: Promise<number>[] = [];
  for (const turn of [0, 1, 2]) {
    for (let index = 0; index < 25; index++) writes.push(put(writer, `${turn}/${index}`));
    if (turn < 2) await nextTurn();
  }
  await Promise.all(writes);

  expect(commit.mock.calls.map(([statements]) => statements.length)).toEqual([75]);
});

test("a write that is alone waits for one turn and not for company", async () => {
  const { database, writer } = await aDatabase();
  const commit = vi.spyOn(database, "commit");

  const write = put(writer, "alone");
  await nextTurn();
  await nextTurn();

  expect(commit).toHaveBeenCalledOnce();
  await write;
});

test("company that never ends delays a commit by four turns at most", async () => {
  const { database, writer } = await aDatabase();
  const commit = vi.spyOn(database, "commit");

  const writes: Promise<number>[] = [];
  for (let turn = 0; turn < 8; turn++) {
    writes.push(put(writer, `turn/${turn}`));
    await nextTurn();
  }
  await Promise.all(writes);

  const sizes = commit.mock.calls.map(([statements]) => statements.length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(5);
});

test("compiles the text of a statement once for all its runs", async () => {
  const { writer } = await aDatabase();
  const prepare = vi.spyOn(Connection.prototype, "prepare");
  onTestFinished(() => prepare.mockRestore());

  for (let index = 0; index < 10; index++) await put(writer, `key/${index}`);

  expect(prepare.mock.calls).toEqual([[PUT]]);
});

test("a statement that fails takes nothing else of its commit with it into the next", async () => {
  const { database, writer } = await aDatabase();
  await put(writer, "taken");

  await expect(put(writer, "taken")).rejects.toBeInstanceOf(StorageError);
  await put(writer, "free");

  const rows = database.query(statement("SELECT key FROM metadata ORDER BY key"));
  expect(rows.map(({ key }) => key)).toEqual(["free", "taken"]);
});
