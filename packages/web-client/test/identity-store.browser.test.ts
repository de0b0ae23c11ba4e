// In the browser only: it tests IndexedDB.
import { webCrypto } from "@photinus/core/platform";
import { afterEach, expect, test } from "vitest";
import type { StoredIdentity } from "../src/browser-database.ts";
import { type IdentityStore, openIdentityStore } from "../src/identity-store.ts";

const opened: IdentityStore[] = [];

async function aStore(): Promise<IdentityStore> {
  const store = await openIdentityStore("photinus-test");
  opened.push(store);
  return store;
}

async function anIdentity(project = "demo"): Promise<StoredIdentity> {
  return {
    project,
    rootFingerprint: "ab".repeat(32),
    root: Uint8Array.of(1, 2, 3),
    serverName: "server",
    chain: [Uint8Array.of(4)],
    signingKey: await webCrypto().generateSigningKey(1),
    savedAtMs: 1,
  };
}

afterEach(async () => {
  for (const store of opened.splice(0)) {
    await store.forget("demo");
    await store.forget("other");
    store.close();
  }
});

test("a key survives closing and opening, still signs, and cannot be exported", async () => {
  const identity = await anIdentity();
  await (await aStore()).save(identity);

  const found = await (await aStore()).find("demo", identity.rootFingerprint);

  if (found === undefined) throw new Error("nothing was kept");
  const crypto = webCrypto();
  const data = Uint8Array.of(7);
  const signature = await crypto.sign(found.signingKey, data);
  const publicKey = await crypto.importVerifyingKey(identity.signingKey.publicKey, 1);
  expect(await crypto.verify(publicKey, signature, data)).toBe(true);
  await expect(async () => crypto.exportSigningKey(found.signingKey)).rejects.toThrow(TypeError);
});

test("finds nothing for another root or project", async () => {
  const store = await aStore();
  await store.save(await anIdentity());

  expect(await store.find("demo", "cd".repeat(32))).toBeUndefined();
  expect(await store.find("demo-2", "ab".repeat(32))).toBeUndefined();
});

test("leaving deletes the key, the certificate and the agreements of that project only", async () => {
  const store = await aStore();
  await store.save(await anIdentity());
  await store.save(await anIdentity("other"));
  const shown = { digest: "ab".repeat(32), submitter: "lead@example.org", textVersion: "1", agreedAtMs: 1 };
  await store.saveConsent({ project: "demo", jobId: "j", ...shown });

  await store.forget("demo");

  expect(await store.find("demo", "ab".repeat(32))).toBeUndefined();
  expect(await store.findConsent("demo", "j")).toBeUndefined();
  expect(await store.find("other", "ab".repeat(32))).toBeDefined();
});

test("the newest revocation list of an issuer stays, for this project and root only, until the project is left", async () => {
  const record = { name: "aa", issuer: Uint8Array.of(1), list: Uint8Array.of(2) };
  const store = (await aStore()).revocations("demo", "ab");
  expect(await store.save({ ...record, number: 2 })).toBe(true);
  expect(await store.save({ ...record, number: 1, list: Uint8Array.of(3) })).toBe(false);
  expect(await store.save({ ...record, number: 2, list: Uint8Array.of(3) })).toBe(false);

  const again = await aStore();
  expect(await again.revocations("demo", "ab").load()).toMatchObject([{ number: 2, list: Uint8Array.of(2) }]);
  expect(await again.revocations("demo", "cd").load()).toEqual([]);
  expect(await again.revocations("other", "ab").load()).toEqual([]);
  await again.forget("demo");
  expect(await again.revocations("demo", "ab").load()).toEqual([]);
});
