import { appendFile, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { auditLog, MAX_AUDIT_LINE_LENGTH } from "@photinus/core/audit";
import { auditContract } from "@photinus/core/testing/contracts";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";
import { type AuditFile, openAuditFile } from "../../src/host/audit-file.ts";
import { eraseNames } from "../../src/host/audit-names.ts";

const crypto = nodeCrypto();

async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function aPath(): Promise<string> {
  return join(await temporaryFolder(), "state", "audit.jsonl");
}

async function opened(path: string): Promise<AuditFile> {
  const file = await openAuditFile(path, { crypto });
  onTestFinished(() => file.close().catch(() => undefined)); // a test may have closed it
  return file;
}

/** A file of three records, closed. */
async function threeRecords(): Promise<string> {
  const path = await aPath();
  const file = await opened(path);
  const log = auditLog(file, systemClock());
  for (const object of ["one", "two", "three"]) await log.record({ action: "job", object, outcome: "done" });
  await file.close();
  return path;
}

auditContract("a file", async () => opened(await aPath()), crypto);

test("the file is for its owner only, and the next process goes on with its chain", async () => {
  const path = await threeRecords();
  expect((await stat(path)).mode & 0o777).toBe(0o600);

  const record = await auditLog(await opened(path), systemClock()).record({ action: "job", outcome: "done" });

  expect(record.sequence).toBe(4);
});

test("a line that a crash cut goes: nobody was told that it is there", async () => {
  const path = await threeRecords();
  const whole = await readFile(path, "utf8");
  await appendFile(path, '{"sequence":4,"event":{"atMs');

  const file = await opened(path);

  expect((await file.head())?.sequence).toBe(3);
  expect(await readFile(path, "utf8")).toBe(whole);
});

test("a record that was changed, dropped or moved is named, and the chain is not continued", async () => {
  const path = await threeRecords();
  const [one = "", two = "", three = ""] = (await readFile(path, "utf8")).trimEnd().split("\n");
  for (const [lines, broken] of [
    [[one, two.replace('"two"', '"six"'), three], 2],
    [[one, three], 2],
    [[two, one, three], 1],
    [[one, two, "{}"], 3],
  ] as const) {
    await writeFile(path, `${lines.join("\n")}\n`);
    await expect(openAuditFile(path, { crypto })).rejects.toMatchObject({
      code: "ERR_AUDIT_BROKEN",
      sequence: broken,
    });
  }
});

test("a file that ends in what no crash leaves is refused as it is: nothing of it is cut", async () => {
  const path = await threeRecords();
  await appendFile(path, Buffer.alloc(MAX_AUDIT_LINE_LENGTH + 1));
  const before = await readFile(path);

  await expect(openAuditFile(path, { crypto })).rejects.toMatchObject({
    code: "ERR_AUDIT_BROKEN",
    sequence: 4,
  });

  expect((await readFile(path)).equals(before)).toBe(true);
});

test("a second program that writes to it makes the first refuse: one chain has one writer", async () => {
  const path = await aPath();
  const [first, second] = [await opened(path), await opened(path)];
  const event = { action: "job", outcome: "done" } as const;
  await auditLog(second, systemClock()).record(event);

  await expect(auditLog(first, systemClock()).record(event)).rejects.toMatchObject({
    code: "ERR_STORAGE_UNAVAILABLE",
  });
  await expect(opened(path)).resolves.toBeDefined();
});

test("a link in place of the file is not followed", async () => {
  const path = await threeRecords();
  const link = join(await temporaryFolder(), "audit.jsonl");
  await symlink(path, link);

  await expect(openAuditFile(link, { crypto })).rejects.toMatchObject({ code: "ERR_STORAGE_UNAVAILABLE" });
});

test("a full file is closed and the chain goes on in the next one, over restarts too", async () => {
  const path = await aPath();
  for (const round of ["one", "two"]) {
    const file = await openAuditFile(path, { crypto, segmentBytes: 600 });
    const log = auditLog(file, systemClock());
    for (const object of ["a", "b", "c"]) await log.record({ action: round, object, outcome: "done" });
    await file.close();
  }
  const names = (await readdir(dirname(path))).sort();

  const file = await openAuditFile(path, { crypto, segmentBytes: 600 });
  onTestFinished(() => file.close());

  expect(names).toEqual([
    "audit-names.jsonl",
    "audit.0000000000000002.jsonl",
    "audit.0000000000000004.jsonl",
    "audit.jsonl",
  ]);
  const records = [];
  for await (const { sequence } of file.read()) records.push(sequence);
  expect(records).toEqual([1, 2, 3, 4, 5, 6]);
  expect((await file.head())?.sequence).toBe(6);
});

test("a segment that was changed or removed is named", async () => {
  const path = await aPath();
  const file = await openAuditFile(path, { crypto, segmentBytes: 1 });
  for (const object of ["a", "b", "c"])
    await auditLog(file, systemClock()).record({ action: object, outcome: "done" });
  await file.close();
  const first = join(dirname(path), "audit.0000000000000001.jsonl");
  const text = await readFile(first, "utf8");

  await writeFile(first, text.replace('"a"', '"x"'));
  await expect(openAuditFile(path, { crypto })).rejects.toMatchObject({
    code: "ERR_AUDIT_BROKEN",
    sequence: 1,
  });
  await writeFile(first, text);
  await rm(join(dirname(path), "audit.0000000000000002.jsonl"));

  await expect(openAuditFile(path, { crypto })).rejects.toMatchObject({
    code: "ERR_AUDIT_BROKEN",
    sequence: 2,
  });
});

test("names lie beside the chain, go with erasure, and a crash leaves none that nobody was told of", async () => {
  const path = await aPath();
  const names = join(dirname(path), "audit-names.jsonl");
  const first = await opened(path);
  for (const name of ["ada", "bob"])
    await auditLog(first, systemClock()).record({ action: "job", actor: `aa ${name}`, outcome: "accepted" });
  await first.close();
  expect(await readFile(path, "utf8")).not.toMatch(/ada|bob/);
  expect((await stat(names)).mode & 0o777).toBe(0o600);
  await appendFile(
    names,
    '{"sequence":3,"field":"actor","salt":"00000000000000000000000000000000","value":"x"}\n{"se',
  );

  const erased = await eraseNames(path, "ada");
  const second = await opened(path);

  expect(erased).toBe(1);
  expect(await readFile(names, "utf8")).toMatch(/^\{"sequence":2,.*"bob"\}\n$/);
  const actors = [];
  for await (const { event } of second.read()) actors.push(event.actor);
  expect(actors).toEqual([expect.stringMatching(/^aa ref:/), "aa bob"]);
  expect(await eraseNames(path, "ada")).toBe(0);
});

test("a name that was changed beside the chain is found at the start", async () => {
  const path = await aPath();
  const file = await opened(path);
  await auditLog(file, systemClock()).record({ action: "job", actor: "aa ada", outcome: "accepted" });
  await file.close();
  const names = join(dirname(path), "audit-names.jsonl");
  await writeFile(names, (await readFile(names, "utf8")).replace("ada", "eve"));

  await expect(openAuditFile(path, { crypto })).rejects.toMatchObject({
    code: "ERR_AUDIT_BROKEN",
    sequence: 1,
  });
});
