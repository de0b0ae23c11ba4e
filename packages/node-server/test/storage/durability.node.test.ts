// Node only: processes, files and their permissions.
import { type ChildProcess, spawn } from "node:child_process";
import {
  appendFile,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { verifyChain } from "@photinus/core/audit";
import { utf8 } from "@photinus/core/bytes";
import type { AuditEvent } from "@photinus/core/platform";
import { nodeCrypto } from "@photinus/node-platform";
import { type EmbeddedStorage, openStorage } from "@photinus/node-server";
import Connection from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const crypto = nodeCrypto();
const WRITER = fileURLToPath(new URL("./durable-writer.ts", import.meta.url));

let folder = "";
const opened: EmbeddedStorage[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "photinus-storage-"));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const storage of opened.splice(0)) await storage.close();
  await rm(folder, { recursive: true });
});

async function reopen(): Promise<EmbeddedStorage> {
  const storage = await openStorage({ folder }, { crypto });
  opened.push(storage);
  return storage;
}

const anEvent = (object: string): AuditEvent => ({
  atMs: 1,
  actor: "system",
  action: "round",
  object,
  outcome: "done",
  reason: "",
  correlation: "",
  details: {},
});

/** Edits the closed database as somebody with access to the file could. */
function edit(...statements: readonly string[]): void {
  const client = new Connection(join(folder, "photinus.db"));
  for (const sql of statements) client.exec(sql);
  client.close();
}

interface Acknowledged {
  readonly index: number;
  readonly sequence: number;
  readonly digest: string;
}

/** Starts the writer. @returns its process and the writes that it says are durable */
function startWriter(): { readonly child: ChildProcess; readonly acknowledged: AsyncIterable<Acknowledged> } {
  const child = spawn(
    process.execPath,
    ["--conditions=@photinus/source", "--import", "tsx", WRITER, folder],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  children.push(child);
  const lines = createInterface({ input: child.stdout! });
  return {
    child,
    acknowledged: (async function* () {
      for await (const line of lines) yield JSON.parse(line) as Acknowledged;
    })(),
  };
}

describe("a killed process", () => {
  test("loses nothing that was acknowledged, leaves no gap, and frees the folder", async () => {
    const { child, acknowledged } = startWriter();
    const exited = new Promise((resolve) => child.once("exit", resolve));
    let last: Acknowledged = { index: 0, sequence: 0, digest: "" };
    for await (const each of acknowledged) {
      last = each;
      if (each.index === 60) child.kill("SIGKILL");
    }
    await exited;

    const storage = await reopen();
    const keys = (await storage.metadata.list("k/")).map(({ key }) => Number(key.slice(2)));
    const head = await verifyChain(crypto, storage.audit.read());

    expect(last.index).toBeGreaterThanOrEqual(60);
    expect(keys).toEqual(keys.map((_, index) => index + 1));
    expect(keys.length).toBeGreaterThanOrEqual(last.index);
    expect(head.count).toBeGreaterThanOrEqual(last.sequence);
    expect(await storage.blobs.get(last.digest)).toEqual(new Uint8Array(50_000).fill(last.index));
    expect((await readdir(join(folder, "blobs"))).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("while it lives, no other process opens the folder", async () => {
    const { acknowledged } = startWriter();
    for await (const _ of acknowledged) break;

    await expect(reopen()).rejects.toMatchObject({
      code: "ERR_STORAGE_UNAVAILABLE",
      message: "another process uses the storage folder",
    });
  });
});

describe("the folder", () => {
  test("is refused to a second opener in the same process, until the first closes", async () => {
    const first = await reopen();
    await expect(reopen()).rejects.toMatchObject({ code: "ERR_STORAGE_UNAVAILABLE" });

    await first.close();
    const second = await reopen();

    expect(await second.metadata.list("")).toEqual([]);
  });

  test("keeps metadata, blobs and the chain from one start to the next", async () => {
    const first = await reopen();
    await first.metadata.put("a", utf8("1"));
    await first.metadata.put("a", utf8("2"));
    await first.audit.append(anEvent("1"));
    const { digest } = await first.blobs.put([utf8("abc")]);
    await first.close();

    const second = await reopen();
    await second.audit.append(anEvent("2"));

    expect(await second.metadata.get("a")).toEqual({ key: "a", value: utf8("2"), revision: 2 });
    expect(await second.blobs.get(digest)).toEqual(utf8("abc"));
    expect(await verifyChain(crypto, second.audit.read())).toMatchObject({ count: 2 });
  });

  test("can be read by its owner only", async () => {
    const storage = await reopen();
    const { digest } = await storage.blobs.put([utf8("abc")]);
    await storage.metadata.put("a", utf8("1"));

    for (const path of ["photinus.db", "photinus.db-wal", `blobs/${digest}`]) {
      expect((await stat(join(folder, path))).mode & 0o777, path).toBe(0o600);
    }
    expect((await stat(join(folder, "blobs"))).mode & 0o777).toBe(0o700);
  });

  test("a path with characters that URLs treat specially is no other path", async () => {
    const odd = join(folder, "a b?c#d%41");
    const storage = await openStorage({ folder: odd }, { crypto });
    await storage.metadata.put("a", utf8("1"));
    await storage.close();

    expect((await stat(join(odd, "photinus.db"))).size).toBeGreaterThan(0);
    expect(await readdir(folder)).toEqual(["a b?c#d%41"]);
  });

  test("a closed storage refuses", async () => {
    const storage = await reopen();
    await storage.close();
    await storage.close();

    await expect(storage.metadata.put("a", utf8("1"))).rejects.toMatchObject({
      code: "ERR_STORAGE_UNAVAILABLE",
    });
    await expect(storage.metadata.get("a")).rejects.toMatchObject({ code: "ERR_STORAGE_UNAVAILABLE" });
    await expect(storage.audit.append(anEvent("1"))).rejects.toMatchObject({
      code: "ERR_STORAGE_UNAVAILABLE",
    });
  });

  test("a folder that cannot be made is refused with what the disk says", async () => {
    await writeFile(join(folder, "file"), "");

    await expect(openStorage({ folder: join(folder, "file") }, { crypto })).rejects.toMatchObject({
      code: "ERR_STORAGE_UNAVAILABLE",
    });
  });
});

describe("versions", () => {
  test("a storage of another state version is refused", async () => {
    await (await reopen()).close();
    edit("UPDATE state SET value = 3 WHERE name = 'state_version'");

    await expect(reopen()).rejects.toMatchObject({ code: "ERR_STORAGE_VERSION" });
  });

  test("a database that is not ours is refused and left as it is", async () => {
    edit("CREATE TABLE theirs (x)");

    await expect(reopen()).rejects.toMatchObject({ code: "ERR_STORAGE_VERSION" });
    edit("SELECT x FROM theirs");
  });
});

describe("damage", () => {
  test("a file that is no database is refused", async () => {
    await writeFile(
      join(folder, "photinus.db"),
      "not a database, but longer than its header of 100 bytes".repeat(40),
    );

    await expect(reopen()).rejects.toMatchObject({ code: "ERR_STORAGE_CORRUPT" });
  });

  test("a database with overwritten pages is refused", async () => {
    const storage = await reopen();
    for (let index = 0; index < 200; index++) await storage.audit.append(anEvent("x".repeat(1000)));
    await storage.close();
    const file = await open(join(folder, "photinus.db"), "r+");
    for (let page = 8; page < 40; page++)
      await file.write(new Uint8Array(2000).fill(0xa5), 0, 2000, 4096 * page);
    await file.close();

    await expect(reopen()).rejects.toMatchObject({ code: "ERR_STORAGE_CORRUPT" });
  });

  test("a blob whose file was changed, cut or extended is refused, whole and in parts", async () => {
    const storage = await reopen();
    const { digest } = await storage.blobs.put([new Uint8Array(10_000).fill(1)]);
    const path = join(folder, "blobs", digest);
    const good = await readFile(path);
    const corrupt = { code: "ERR_STORAGE_CORRUPT" };

    const changed = Buffer.from(good);
    changed[5000] = 2;
    await writeFile(path, changed);
    await expect(storage.blobs.get(digest)).rejects.toMatchObject(corrupt);
    await expect(storage.blobs.get(digest, { offset: 0, length: 10 })).rejects.toMatchObject(corrupt);

    await writeFile(path, good);
    await truncate(path, 9_999);
    await expect(storage.blobs.get(digest)).rejects.toMatchObject(corrupt);

    await writeFile(path, good);
    await appendFile(path, "x");
    await expect(storage.blobs.get(digest)).rejects.toMatchObject(corrupt);

    await storage.blobs.put([new Uint8Array(10_000).fill(1)]);
    expect(await storage.blobs.get(digest)).toHaveLength(10_000);
  });

  test("a blob that was damaged while the server was down is refused", async () => {
    const first = await reopen();
    const { digest } = await first.blobs.put([utf8("abc")]);
    await first.close();
    await writeFile(join(folder, "blobs", digest), "abd");

    const second = await reopen();

    await expect(second.blobs.get(digest, { offset: 1 })).rejects.toMatchObject({
      code: "ERR_STORAGE_CORRUPT",
    });
  });

  test("what an interrupted write of a blob left is removed at the next start", async () => {
    await (await reopen()).close();
    await writeFile(join(folder, "blobs", "5f1b.tmp"), "half");

    await reopen();

    expect(await readdir(join(folder, "blobs"))).toEqual([]);
  });

  test("a name that is no digest never becomes a path", async () => {
    const { blobs } = await reopen();

    for (const name of ["../photinus.db", "", "A".repeat(64), `${"a".repeat(64)}/`]) {
      await expect(blobs.get(name)).rejects.toThrow(RangeError);
      await expect(blobs.delete(name)).rejects.toThrow(RangeError);
    }
  });
});

describe("tampering with the audit table", () => {
  async function fiveRecords(): Promise<void> {
    const storage = await reopen();
    for (const object of ["1", "2", "3", "4", "5"]) await storage.audit.append(anEvent(object));
    await storage.close();
  }
  const UNLOCK = ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"];

  test("the table refuses changes by statements", async () => {
    await fiveRecords();

    expect(() => edit("UPDATE audit SET hash = x'00' WHERE sequence = 1")).toThrow("append-only");
    expect(() => edit("DELETE FROM audit")).toThrow("append-only");
  });

  test.each<[string, number, string]>([
    [
      "an edited record",
      3,
      "UPDATE audit SET entry = (SELECT entry FROM audit WHERE sequence = 4) WHERE sequence = 3",
    ],
    ["a record whose bytes do not parse", 2, "UPDATE audit SET entry = x'00' WHERE sequence = 2"],
    ["a removed record", 3, "DELETE FROM audit WHERE sequence = 3"],
    ["an edited hash", 2, "UPDATE audit SET hash = zeroblob(32) WHERE sequence = 2"],
    ["an edited link", 4, "UPDATE audit SET previous_hash = zeroblob(32) WHERE sequence = 4"],
  ])("%s is named by its sequence", async (_, sequence, sql) => {
    await fiveRecords();
    edit(...UNLOCK, sql);
    const storage = await reopen();

    await expect(verifyChain(crypto, storage.audit.read())).rejects.toMatchObject({
      code: "ERR_AUDIT_BROKEN",
      sequence,
    });
  });

  test("a chain is not continued from a last record that was changed", async () => {
    await fiveRecords();
    edit(...UNLOCK, "UPDATE audit SET previous_hash = zeroblob(32) WHERE sequence = 5");

    await expect(reopen()).rejects.toMatchObject({ code: "ERR_AUDIT_BROKEN", sequence: 5 });
    edit("UPDATE audit SET hash = zeroblob(32) WHERE sequence = 2");
    await expect(reopen()).rejects.toMatchObject({ code: "ERR_AUDIT_BROKEN", sequence: 2 });
  });
});
