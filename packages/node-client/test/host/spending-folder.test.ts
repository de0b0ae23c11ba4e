import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utf8 } from "@photinus/core/bytes";
import { expect, onTestFinished, test } from "vitest";
import { spendingFolder } from "../../src/host/spending-folder.ts";

async function aFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test("what a scope has spent is there for the next process, apart from other scopes", async () => {
  const path = join(await aFolder(), "privacy");
  await spendingFolder(path).write("study", utf8("1"));
  await spendingFolder(path).write("Study", utf8("2"));

  const next = spendingFolder(path);

  expect(await next.read("study")).toEqual(utf8("1"));
  expect(await next.read("Study")).toEqual(utf8("2"));
  expect(await next.read("other")).toBeUndefined();
});

test("what cannot be read or written is an error, not an empty account", async () => {
  const path = await aFolder();
  const store = spendingFolder(path);
  await store.write("study", utf8("1"));
  const [file = ""] = await readdir(path);
  await writeFile(join(path, file), new Uint8Array(2 ** 20 + 1));

  await expect(store.read("study")).rejects.toMatchObject({ code: "ERR_STORAGE_CORRUPT" });
  const blocked = spendingFolder(join(path, file));
  await expect(blocked.write("study", utf8("1"))).rejects.toMatchObject({ code: "ERR_STORAGE_UNAVAILABLE" });
});
