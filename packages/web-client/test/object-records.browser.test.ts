// In the browser only: it tests IndexedDB.
import { openLastingObjects } from "@photinus/core/envelope";
import { webCrypto } from "@photinus/core/platform";
import { deleteDB, openDB } from "idb";
import { afterEach, expect, test } from "vitest";
import { type IdentityStore, openIdentityStore } from "../src/identity-store.ts";

const NAME = "photinus-objects-test";
const NOW_MS = 1_000_000;
const opened: IdentityStore[] = [];

async function aTab(): Promise<IdentityStore> {
  const store = await openIdentityStore(NAME);
  opened.push(store);
  return store;
}

async function objectsOfTab(project = "demo", root = "ab") {
  const records = (await aTab()).objects(project, root);
  return await openLastingObjects({ records, clock: { now: () => NOW_MS }, crypto: webCrypto() });
}

function aJob(fill = 1) {
  const objectId = new Uint8Array(16).fill(fill);
  return { objectId, digest: new Uint8Array(32).fill(fill), expiresAt: NOW_MS + 1000 };
}

afterEach(async () => {
  for (const store of opened.splice(0)) {
    await store.forget("demo");
    await store.forget("other");
    store.close();
  }
});

test("a job that has ended is refused in another tab and after a reload, a fresh one is taken", async () => {
  const [first, second] = [await objectsOfTab(), await objectsOfTab()];
  await first.begin(aJob());
  await first.end(aJob().objectId);
  const replayed = { code: "ERR_ENVELOPE_REPLAYED" };

  await expect(second.begin(aJob())).rejects.toMatchObject(replayed);
  await expect((await objectsOfTab()).begin(aJob())).rejects.toMatchObject(replayed);
  await expect(second.begin(aJob(2))).resolves.toBeUndefined();
});

test("of two tabs that are offered two jobs under one id at once, one takes its job", async () => {
  const tabs = [await objectsOfTab(), await objectsOfTab()];

  const outcomes = await Promise.allSettled(
    tabs.map((tab, index) => tab.begin({ ...aJob(), digest: new Uint8Array(32).fill(index) })),
  );

  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
});

test("counters that tabs record at once never go back", async () => {
  const signer = new Uint8Array(32).fill(9);
  const tabs = [await objectsOfTab(), await objectsOfTab(), await objectsOfTab()];

  await Promise.all(
    tabs.map((tab, index) => {
      const counted = { signer, objectType: 3, counter: 3 - index };
      return tab.record({ ...aJob(index + 1), counted });
    }),
  );

  expect(await (await objectsOfTab()).lastCounter(signer, 3)).toBe(3);
});

test("each project and root has its own, until the project is left", async () => {
  await (await objectsOfTab()).begin(aJob());
  await (await objectsOfTab("other")).begin(aJob(2));
  const store = await aTab();

  expect(await store.objects("demo", "ab").list()).toHaveLength(1);
  expect(await store.objects("demo", "cd").list()).toEqual([]);
  await store.forget("demo");

  expect(await store.objects("demo", "ab").list()).toEqual([]);
  expect(await store.objects("other", "ab").list()).toHaveLength(1);
});

test("a record that was damaged admits nothing", async () => {
  await (await objectsOfTab()).begin(aJob());
  const database = await openDB(NAME);
  const [record] = await database.getAll("objects");
  await database.put("objects", { ...record, value: Uint8Array.of(1, 2, 3) });
  database.close();

  await expect(objectsOfTab()).rejects.toMatchObject({ code: "ERR_SEEN_OBJECTS_CORRUPT" });
});

test("a database of the version before is opened with what it holds", async () => {
  const name = `${NAME}-old`;
  await deleteDB(name);
  const keyPath = ["project", "rootFingerprint", "name"];
  const old = await openDB(name, 2, {
    upgrade(upgraded) {
      upgraded.createObjectStore("identities", { keyPath: ["project", "rootFingerprint"] });
      upgraded.createObjectStore("consents", { keyPath: ["project", "jobId"] });
      upgraded.createObjectStore("revocations", { keyPath });
    },
  });
  const list = { name: "aa", number: 2, issuer: Uint8Array.of(1), list: Uint8Array.of(2) };
  await old.put("revocations", { ...list, project: "demo", rootFingerprint: "ab" });
  old.close();

  const store = await openIdentityStore(name);

  opened.push(store);
  expect(await store.revocations("demo", "ab").load()).toMatchObject([{ number: 2 }]);
  expect(await store.objects("demo", "ab").create("object-1", Uint8Array.of(1))).toBe(true);
});
